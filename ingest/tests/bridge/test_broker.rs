//! A platform behind mosquitto with the platform's certificates, stock clients, and bridges that can be crashed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eventlog::Log;
use ingest::{BridgeConfig, Config, Deps, Secret};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, Outgoing, QoS, TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use stack::testing::TestStack;
use stack::{Broker, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::test_platform::{Device, TIMEOUT, TestPlatform, eventually, new_id, now};

const SERVICE_ACCOUNT: (&str, &str) = ("bridge", "a long secret");

/// A platform and the broker in front of it.
pub struct BrokeredPlatform {
    pub platform: TestPlatform,
    pub broker: TestStack,
    _certificates: tempfile::TempDir,
}

impl BrokeredPlatform {
    /// Creates a platform on the shared servers, behind its own broker.
    pub async fn new() -> Self {
        Self::of(TestPlatform::new().await).await
    }

    /// Puts a broker in front of a platform.
    pub async fn of(platform: TestPlatform) -> Self {
        let certificates = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = certificates.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let pki = platform.pki();
        let broker = Broker {
            authority_file: file("root.pem", &pki.root_certificate_pem),
            certificate_file: file("server.pem", &pki.server_certificate_pem),
            key_file: file("server.key", pki.server_private_key_pem.expose()),
            revocation_file: None,
            user: SERVICE_ACCOUNT.0.into(),
            password: SERVICE_ACCOUNT.1.into(),
            dynamic_security: false,
        };
        let broker = TestStack::start(|options| options.with_mosquitto(broker).only(Server::Mosquitto)).await.unwrap();
        Self { platform, broker, _certificates: certificates }
    }

    /// Returns the settings of a bridge to this broker.
    pub fn bridge_config(&self) -> BridgeConfig {
        let mut config = BridgeConfig::new(self.broker.urls().broker.parse().unwrap());
        config.user = Some(SERVICE_ACCOUNT.0.into());
        config.password = Some(Secret::new(SERVICE_ACCOUNT.1));
        config
    }

    /// Opens a bridge.
    pub fn bridge(&self, instance: &str) -> Bridge {
        self.bridge_with(instance, |_| {})
    }

    /// Opens a bridge with changed settings, in its own runtime.
    pub fn bridge_with(&self, instance: &str, change: impl FnOnce(&mut Config)) -> Bridge {
        let mut config = Config::new(instance);
        config.bridge = Some(self.bridge_config());
        change(&mut config);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (settings, pki, shutdown) =
            (self.platform.log.settings().clone(), self.platform.pki(), CancellationToken::new());
        let closing = shutdown.clone();
        let task = runtime.spawn(async move {
            let log = Log::connect(settings).await.unwrap();
            ingest::run(Deps { log, pki, clock: Arc::new(now) }, config, closing).await
        });
        Bridge { shutdown, task, runtime }
    }

    /// Allows the service account to publish anything, including retained messages and arbitrary topics.
    pub fn grant_service_account_everything(&self) {
        let acl = self.broker.data_dir().join("mosquitto/acl");
        let devices = std::fs::read_to_string(&acl).unwrap();
        let devices = devices.split_once("\n\n").expect("the devices' rules").1;
        let text = format!("user {}\ntopic readwrite #\ntopic read $SYS/#\n\n{devices}", SERVICE_ACCOUNT.0);
        std::fs::write(acl, text).unwrap();
        let pid = self.broker.pid(Server::Mosquitto).unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// Returns the options of a stock client with a device's certificate.
    pub fn device_options(&self, device: &Device) -> MqttOptions {
        let (_, port) = self.broker.urls().broker_tls.rsplit_once(':').unwrap();
        let mut options = MqttOptions::new(device.id.to_string(), "localhost", port.parse().unwrap());
        let pem = self.platform.root.certificate_pem();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let chain = CertificateDer::pem_slice_iter(device.issued.chain_pem.as_bytes()).collect::<Result<_, _>>();
        let key = device.issued.private_key_pem.as_ref().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_root_certificates(roots).with_client_auth_cert(chain.unwrap(), key).unwrap();
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))));
        options.set_max_packet_size(1 << 20, 1 << 20).set_keep_alive(Duration::from_secs(5));
        options
    }

    /// Publishes as a device and waits for the broker's acknowledgements.
    pub async fn publish(&self, device: &Device, messages: &[Message]) {
        publish(self.device_options(device), messages).await;
    }

    /// Publishes as the service account.
    pub async fn publish_as_service(&self, messages: &[Message]) {
        let (_, port) = self.broker.urls().broker.rsplit_once(':').unwrap();
        let mut options = MqttOptions::new(format!("stranger-{}", new_id()), "127.0.0.1", port.parse().unwrap());
        options.set_credentials(SERVICE_ACCOUNT.0, SERVICE_ACCOUNT.1).set_max_packet_size(1 << 20, 1 << 20);
        publish(options, messages).await;
    }

    /// Waits until the broker has the subscriptions of a bridge's connections: before, it keeps nothing for them.
    pub async fn wait_for_subscriptions(&self, instance: &str, connections: usize) {
        let line = |number: usize, log: &str| log.contains(&format!(": argusiq-bridge-{instance}-{number} 1 "));
        eventually("the bridge's subscriptions", || async {
            let log = self.broker_log();
            (0..connections).all(|number| line(number, &log)).then_some(())
        })
        .await;
    }

    /// Returns the broker's log.
    pub fn broker_log(&self) -> String {
        std::fs::read_to_string(Path::new(&self.broker.log(Server::Mosquitto))).unwrap()
    }
}

/// A message to publish.
#[derive(Clone)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: QoS,
    pub retain: bool,
}

/// Creates a message with QoS 1.
pub fn message(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Message {
    Message { topic: topic.into(), payload: payload.into(), qos: QoS::AtLeastOnce, retain: false }
}

async fn publish(options: MqttOptions, messages: &[Message]) {
    let (client, mut events) = AsyncClient::new(options, messages.len().max(1) + 1);
    let (mut unsent, mut unacknowledged) = (messages.len(), 0);
    for Message { topic, payload, qos, retain } in messages {
        client.try_publish(topic, *qos, *retain, payload.clone()).unwrap();
        unacknowledged += usize::from(*qos == QoS::AtLeastOnce);
    }
    let exchange = async {
        let mut left = false;
        // After DISCONNECT the client reports an error, which is expected.
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Incoming::PubAck(_))) => unacknowledged -= 1,
                Ok(Event::Outgoing(Outgoing::Publish(_))) => unsent -= 1,
                Ok(_) => {}
                Err(_) if left => return,
                Err(error) => panic!("the broker ended the connection: {error}"),
            }
            if unsent == 0 && unacknowledged == 0 && !std::mem::replace(&mut left, true) {
                client.try_disconnect().unwrap();
            }
        }
    };
    timeout(TIMEOUT, exchange).await.expect("acknowledgements in time");
    assert_eq!((unsent, unacknowledged), (0, 0), "the broker acknowledged everything before the client left");
}

/// A bridge in its own runtime, which can be dropped like a crashed process.
pub struct Bridge {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ingest::Error>>,
    runtime: Runtime,
}

impl Bridge {
    /// Closes the bridge and waits for it.
    pub async fn close(self) {
        self.shutdown.cancel();
        timeout(TIMEOUT, self.task).await.expect("an end").unwrap().unwrap();
        self.runtime.shutdown_background();
    }

    /// Drops the bridge at once, as a crash of its process would.
    pub fn crash(self) {
        self.runtime.shutdown_background();
    }
}
