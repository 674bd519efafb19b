//! The platform shared by all tests: it runs on its own thread and ends with the process.

use std::sync::{Arc, OnceLock, mpsc};

use certs::{MasterKey, RootAuthority, ServerNames};
use commands::{Commands, Keys};
use eventlog::{Log, Settings, StreamSizes};
use projections::{Reader, RedisServer};
use serving::probes::{Dependency, Probe};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::client::Client;

/// Credentials of the first administrator.
pub const EMAIL: &str = "root@example.com";
pub const PASSWORD: &str = "battery staple";

/// What tests can use of the platform.
pub struct Platform {
    pub address: String,
    /// Port of the enrolment listener.
    pub enroll_port: u16,
    pub root_certificate_pem: String,
    pub log: Log,
    pub commands: Commands,
    pub runtime: Handle,
    pub(super) keys: Keys,
    pub(super) postgres: String,
    pub(super) redis: String,
}

/// Returns the platform; the first call starts it.
pub fn platform() -> &'static Platform {
    static PLATFORM: OnceLock<Platform> = OnceLock::new();
    PLATFORM.get_or_init(|| {
        let (ready, started) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let handle = runtime.handle().clone();
            runtime.block_on(async move {
                let (platform, serving) = start(handle).await;
                ready.send(platform).unwrap();
                serving.await;
            });
        });
        started.recv().expect("the platform starts")
    })
}

impl Platform {
    /// Returns a signed-in client.
    pub fn sign_in(&self, email: &str, password: &str) -> Client {
        Client::anonymous(&self.address).sign_in(email, password)
    }

    /// Returns a client of the platform administrator.
    pub fn root_admin(&self) -> Client {
        static ROOT: OnceLock<Client> = OnceLock::new();
        ROOT.get_or_init(|| self.sign_in(EMAIL, PASSWORD)).clone()
    }

    /// Returns a client without a token.
    pub fn anonymous(&self) -> Client {
        Client::anonymous(&self.address)
    }
}

#[allow(clippy::disallowed_methods, reason = "the platform of the tests lives in real time")]
pub fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// Webhooks that are allowed to reach the tests' own servers.
pub(super) fn webhooks() -> api::WebhookSender {
    let guard = api::EgressGuard::allowing(&["127.0.0.0/8".to_owned()]).unwrap();
    api::WebhookSender::new(guard)
}

/// The checks that `/ready` makes, and one metric.
pub(super) fn probe(log: &Log, reader: &Reader) -> Probe {
    let (log, postgres, redis) = (log.clone(), reader.clone(), reader.clone());
    let nats = move || {
        let log = log.clone();
        async move { log.ping().await }
    };
    let postgres = move || {
        let reader = postgres.clone();
        async move { reader.ping_database().await }
    };
    let redis = move || {
        let reader = redis.clone();
        async move { reader.ping_redis().await }
    };
    Probe {
        dependencies: vec![
            Dependency::new("nats", nats),
            Dependency::new("postgres", postgres),
            Dependency::new("redis", redis),
        ],
        warnings: Arc::new(|| Box::pin(async { vec![] })),
        metrics: Arc::new(|| "argusiq_up 1\n".to_owned()),
        facts: &[],
    }
}

pub(super) fn mailer() -> api::Mailer {
    let config = api::MailConfig {
        host: "127.0.0.1".into(),
        port: super::mail_server::start(),
        security: api::MailSecurity::None,
        credentials: None,
        from: "Argusiq <argusiq@example.com>".into(),
    };
    api::Mailer::new(config).unwrap()
}

async fn start(runtime: Handle) -> (Platform, impl Future<Output = ()>) {
    let space = stack::testing::space().await;
    let settings = Settings::new(&space.nats).with_prefix(&space.stream_prefix).with_sizes(StreamSizes::small());
    let log = Log::connect(settings).await.unwrap();
    log.declare_streams().await.unwrap();
    projections::migrate(&space.postgres).await.unwrap();
    let root = RootAuthority::create("Test root CA", now()).unwrap();
    let root_certificate_pem = root.certificate_pem().to_owned();
    let names = ServerNames::parse(["localhost", "127.0.0.1"]).unwrap();
    let server = root.issue_server_certificate(&names, 30, now()).unwrap();
    let tls = certs::proof_of_possession::server_config(&server.certificate_pem, &server.private_key_pem).unwrap();
    let keys = Keys::new(MasterKey::generate().unwrap(), root);
    let clock: commands::Clock = Arc::new(now);
    let commands = Commands::open(log.clone(), keys.clone(), clock.clone()).await.unwrap();
    commands.bootstrap(EMAIL, Some(PASSWORD)).await.unwrap();
    let redis = RedisServer::plain(&space.redis, &space.key_prefix);
    let reader = Reader::connect(&space.postgres, &redis).await.unwrap();
    let projecting = projections::Deps { log: log.clone(), database_url: space.postgres.clone(), redis };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let enrolling = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let enroll_port = enrolling.local_addr().unwrap().port();
    let deps = api::Deps {
        commands: commands.clone(),
        probe: probe(&log, &reader),
        reader,
        log: log.clone(),
        signing_secret: vec![7; 32],
        root_certificate_pem: root_certificate_pem.clone(),
        clock,
        device_urls: api::DeviceUrls {
            mqtt_url: "mqtts://localhost:8883".into(),
            telemetry_url: None,
            enroll_url: Some(format!("https://localhost:{enroll_port}/api/v1/enroll")),
        },
        mailer: Some(mailer()),
        webhooks: webhooks(),
    };
    let enroll = api::EnrollConfig { listen: api::Listen::Listener(enrolling), tls: Arc::new(tls) };
    let config = api::Config {
        listen: api::Listen::Listener(listener),
        enroll: Some(enroll),
        http: api::Http::default(),
        jobs: true,
    };
    let shutdown = CancellationToken::new();
    let serving = api::run(deps, config, shutdown.clone());
    let projecting = projections::run(projecting, projections::Config::default(), shutdown);
    let all = async {
        let (served, projected) = tokio::join!(serving, projecting);
        served.unwrap();
        projected.unwrap();
    };
    let (postgres, redis) = (space.postgres.clone(), space.redis.clone());
    (Platform { address, enroll_port, root_certificate_pem, log, commands, runtime, keys, postgres, redis }, all)
}
