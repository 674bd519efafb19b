//! Wires the roles: gives each role crate its dependencies and its configuration.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, bail};
use aws_lc_rs::hmac;
use certs::{KeyFolder, ServerFiles};
use commands::{Bootstrapped, Commands, Keys};
use eventlog::Log;
use ingest::{EdgePki, Listen};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::Reader;
use serving::probes;
use stack::Ports;
use tokio_util::sync::CancellationToken;

use crate::connections::{self, Servers, Streams};
use crate::environment::{self, Clock};
use crate::settings::{Settings, socket_address};
use crate::{installation, keys, observability, readiness};

/// A role: a part of the platform that can run as its own process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// HTTP API, live feed and page.
    Api,
    /// The edge: devices connect to it.
    Ingest,
    /// The subscriber of a broker that devices connect to.
    Bridge,
    /// The stages.
    Process,
    /// The projections.
    Project,
}

impl Role {
    /// The roles that `up` runs.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Process, Self::Project, Self::Api];
}

/// Why the process starts; decides which keys and connections it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// To create what is missing and to run any role: `migrate` and `up`.
    Everything,
    /// To run one role on what `migrate` created.
    Role(Role),
}

/// The keys that the process may hold: no more than its role needs.
#[derive(Clone)]
enum HeldKeys {
    /// The master key, the root CA and the server's key.
    All(Arc<KeyFolder>),
    /// The server certificate and its key, for a listener.
    Server(ServerFiles),
    /// None.
    None,
}

impl HeldKeys {
    fn open(settings: &Settings, duty: Duty) -> anyhow::Result<Self> {
        Ok(match duty {
            Duty::Everything => Self::All(Arc::new(keys::init(settings)?.folder)),
            Duty::Role(Role::Api | Role::Process) => Self::All(Arc::new(keys::open(settings)?)),
            Duty::Role(Role::Ingest | Role::Bridge) => Self::Server(keys::open_server_files(settings)?),
            Duty::Role(Role::Project) => Self::None,
        })
    }

    fn all(&self) -> anyhow::Result<&KeyFolder> {
        match self {
            Self::All(folder) => Ok(folder),
            Self::Server(_) | Self::None => bail!("this role does not hold the CA keys"),
        }
    }

    fn server(&self) -> anyhow::Result<ServerFiles> {
        match self {
            Self::All(folder) => Ok(ServerFiles {
                root_certificate_pem: folder.root.certificate_pem().to_owned(),
                server_certificate_pem: folder.server_certificate_pem.clone(),
                server_private_key_pem: folder.server_private_key_pem.clone(),
            }),
            Self::Server(files) => Ok(files.clone()),
            Self::None => bail!("this role holds no keys"),
        }
    }

    fn for_commands(&self, settings: &Settings) -> anyhow::Result<Keys> {
        let folder = self.all()?;
        let root = folder.root.seal(&folder.master)?.open_root(&folder.master)?;
        Ok(Keys::new(folder.master.clone(), root).published_at(settings.http.public_base_url()?))
    }
}

/// Connections and keys that the roles of one process share.
#[derive(Clone)]
pub struct Wiring {
    /// The configuration.
    pub settings: Settings,
    /// Ports to listen on.
    pub ports: Ports,
    servers: Servers,
    log: Log,
    /// Present in roles that send commands.
    commands: Option<Commands>,
    keys: HeldKeys,
    clock: Clock,
    metrics: PrometheusHandle,
}

impl Wiring {
    /// Opens the keys, the log and the command side that the duty needs. Errors when the servers belong to different
    /// installations.
    pub async fn open(settings: Settings, servers: Servers, duty: Duty) -> anyhow::Result<Self> {
        environment::create_data_dir(&settings)?;
        let metrics = observability::start_metrics()?;
        let keys = HeldKeys::open(&settings, duty)?;
        let streams = if duty == Duty::Everything { Streams::Declare } else { Streams::Check };
        let log = connections::open_log(&settings, &servers, streams).await?;
        if streams == Streams::Check {
            installation::check(&settings, &servers, &log).await?;
        }
        let clock = environment::clock();
        let event_store = connections::event_store(&settings, &servers);
        let commands = match duty {
            Duty::Everything | Duty::Role(Role::Api) => {
                Some(Commands::open_with(event_store, log.clone(), keys.for_commands(&settings)?, clock.clone()).await?)
            }
            Duty::Role(Role::Process) => {
                let keys = keys.for_commands(&settings)?;
                Some(Commands::open_without_secrets(event_store, log.clone(), keys, clock.clone()).await?)
            }
            Duty::Role(Role::Ingest | Role::Bridge | Role::Project) => None,
        };
        let ports = ports(&settings)?;
        Ok(Self { settings, ports, servers, log, commands, keys, clock, metrics })
    }

    /// Creates or updates the tables, and stores the installation id in all servers.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        projections::migrate(&self.servers.postgres.0).await.map_err(|error| match error.is_refusal() {
            true => anyhow::Error::new(error)
                .context("the user of postgres.url may not create or alter tables: run `argusiq migrate` as the owner of the database"),
            false => error.into(),
        })?;
        installation::ensure(&self.settings, &self.servers, &self.log).await
    }

    fn commands(&self) -> anyhow::Result<&Commands> {
        self.commands.as_ref().context("this role does not send commands")
    }

    /// Creates the first organisation and its administrator unless there is one.
    pub async fn bootstrap(&self) -> anyhow::Result<Bootstrapped> {
        let password = self.settings.admin_password.as_ref().map(|password| password.0.as_str());
        Ok(self.commands()?.bootstrap(&self.settings.admin_email, password).await?)
    }

    /// Runs one role until `shutdown`.
    pub async fn run(&self, role: Role, only: Vec<String>, shutdown: CancellationToken) -> anyhow::Result<()> {
        match role {
            Role::Api => self.api(shutdown).await,
            Role::Ingest => self.ingest(shutdown).await,
            Role::Bridge => self.bridge(shutdown).await,
            Role::Process => self.process(only, shutdown).await,
            Role::Project => self.project(only, shutdown).await,
        }
    }

    async fn ingest(&self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let listen = Listen::Address(socket_address(&self.settings.mqtt.listen, self.ports.mqtt)?);
        let mut config = ingest::Config::edge(listen, self.settings.stable_name());
        config.limits.max_connections = self.settings.mqtt.max_connections;
        config.limits.messages_per_second = self.settings.mqtt.max_device_rate;
        let http = &self.settings.ingest_http;
        if http.enabled {
            let listen = Listen::Address(socket_address(&http.listen, self.ports.ingest_http)?);
            config.http = Some(ingest::HttpConfig { listen, limits: ingest::HttpLimits::default() });
        }
        self.configure_emqx(&mut config)?;
        ingest::run(self.ingest_deps()?, config, shutdown).await.context("ingest")
    }

    async fn bridge(&self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut config = ingest::Config::new(self.settings.stable_name());
        config.bridge = Some(self.settings.bridge.config()?);
        self.configure_emqx(&mut config)?;
        ingest::run(self.ingest_deps()?, config, shutdown).await.context("ingest --bridge")
    }

    /// Adds the authentication hook and the management API of an EMQX broker, if they are configured.
    fn configure_emqx(&self, config: &mut ingest::Config) -> anyhow::Result<()> {
        config.hook = self.settings.emqx.hook(self.ports.broker_hook)?;
        config.broker_api = self.settings.emqx.management_api()?;
        Ok(())
    }

    fn ingest_deps(&self) -> anyhow::Result<ingest::Deps> {
        let files = self.keys.server()?;
        let pki = EdgePki {
            root_certificate_pem: files.root_certificate_pem,
            server_certificate_pem: files.server_certificate_pem,
            server_private_key_pem: files.server_private_key_pem,
        };
        Ok(ingest::Deps { log: self.log.clone(), pki, clock: self.clock.clone() })
    }

    async fn process(&self, only: Vec<String>, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut config = processing::Config::new(self.settings.ephemeral_name());
        if !only.is_empty() {
            config.stages = only.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        }
        config.ahead = self.settings.process.clock_ahead()?;
        let commands = self.commands()?.clone();
        let deps = processing::Deps { log: self.log.clone(), commands, clock: self.clock.clone() };
        processing::run(deps, config, shutdown).await.context("process")
    }

    async fn project(&self, only: Vec<String>, shutdown: CancellationToken) -> anyhow::Result<()> {
        let config = projections::Config { only: (!only.is_empty()).then_some(only) };
        projections::run(self.projection_deps(), config, shutdown).await.context("project")
    }

    async fn api(&self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let listen = api::Listen::Address(socket_address(&self.settings.http.listen, self.ports.http)?);
        let redis = connections::redis(&self.settings, &self.servers);
        let reader = Reader::connect(&self.servers.postgres.0, &redis).await?;
        let deps = api::Deps {
            commands: self.commands()?.clone(),
            probe: readiness::probe(Role::Api, &self.log, Some(reader.clone()), self.metrics.clone()),
            reader,
            log: self.log.clone(),
            signing_secret: token_key(self.keys.all()?),
            root_certificate_pem: self.keys.all()?.root.certificate_pem().to_owned(),
            clock: self.clock.clone(),
            device_urls: device_urls(&self.settings, &self.ports),
            mailer: self.settings.smtp.mailer()?,
            webhooks: self.settings.webhooks.sender()?,
        };
        let config = api::Config { listen, enroll: self.enroll_config()?, http: api_http(&self.settings), jobs: true };
        // The daily seal never ends by itself; it stops with the API.
        tokio::select! {
            ended = api::run(deps, config, shutdown.clone()) => ended.context("api"),
            never = self.seal_daily(self.keys.all()?) => match never {},
        }
    }

    /// Seals the log once a day, if a folder is configured.
    async fn seal_daily(&self, keys: &KeyFolder) -> Infallible {
        match &self.settings.audit.seal_folder {
            Some(folder) => seal::run_daily(&self.log, &keys.root, folder, &self.clock).await,
            None => std::future::pending().await,
        }
    }

    /// Returns the configuration of the enrolment listener, if it is enabled.
    fn enroll_config(&self) -> anyhow::Result<Option<api::EnrollConfig>> {
        let enroll = &self.settings.enroll;
        if !enroll.enabled {
            return Ok(None);
        }
        let listen = api::Listen::Address(socket_address(&enroll.listen, self.ports.enroll)?);
        let files = self.keys.server()?;
        let tls =
            certs::proof_of_possession::server_config(&files.server_certificate_pem, &files.server_private_key_pem)?;
        Ok(Some(api::EnrollConfig { listen, tls: Arc::new(tls) }))
    }

    /// Serves the probes of a role without an HTTP API until `shutdown`, if a port is configured.
    pub async fn probe(&self, role: Role, shutdown: CancellationToken) -> anyhow::Result<()> {
        let probe = &self.settings.probe;
        let (Some(port), false) = (probe.port, role == Role::Api) else {
            shutdown.cancelled().await;
            return Ok(());
        };
        let address = socket_address(&probe.listen, port)?;
        let redis = connections::redis(&self.settings, &self.servers);
        let reader = match role {
            Role::Project => Some(Reader::connect(&self.servers.postgres.0, &redis).await?),
            Role::Api | Role::Ingest | Role::Bridge | Role::Process => None,
        };
        let probe = readiness::probe(role, &self.log, reader, self.metrics.clone());
        probes::serve(address, probe, shutdown).await.context("probe")
    }

    /// Rebuilds read models and prints the result of each. Errors when a rebuilt one differs from the live one.
    pub async fn replay(&self, names: &[String], shutdown: CancellationToken) -> anyhow::Result<()> {
        let chosen = (!names.is_empty()).then_some(names);
        let deps = self.projection_deps();
        let rebuilt = replay::run(&deps, chosen, replay::Options::default(), |_| {}, shutdown).await?;
        for one in &rebuilt {
            let verdict = match &one.kept {
                Some(reason) => format!("skipped: {reason}"),
                None if one.is_equal() => "equal".to_owned(),
                None => format!("DIFFERENT: {}", one.differences().join(", ")),
            };
            println!("{:<24}{:>12} positions{:>9.2} s  {verdict}", one.name, one.positions, one.seconds);
        }
        let different: Vec<_> = rebuilt.iter().filter(|one| !one.is_equal()).map(|one| one.name.as_str()).collect();
        if different.is_empty() { Ok(()) } else { bail!("rebuilt read models differ: {}", different.join(", ")) }
    }

    fn projection_deps(&self) -> projections::Deps {
        projections::Deps {
            log: self.log.clone(),
            database_url: self.servers.postgres.0.clone(),
            redis: connections::redis(&self.settings, &self.servers),
        }
    }
}

/// Returns the API's limits and its place behind reverse proxies.
fn api_http(settings: &Settings) -> api::Http {
    api::Http {
        limits: settings.limits.api(),
        secure_cookies: settings.http.secure_cookies,
        trusted_proxies: settings.http.trusted_proxies,
    }
}

/// Returns the ports to listen on: from `port_base` or the defaults, overridden one by one.
pub fn ports(settings: &Settings) -> anyhow::Result<Ports> {
    let mut ports = match settings.port_base {
        Some(base) => Ports::from_base(base)?,
        None => Ports::defaults(),
    };
    ports.http = settings.http.port.unwrap_or(ports.http);
    ports.mqtt = settings.mqtt.port.unwrap_or(ports.mqtt);
    ports.ingest_http = settings.ingest_http.port.unwrap_or(ports.ingest_http);
    ports.enroll = settings.enroll.port.unwrap_or(ports.enroll);
    ports.broker_hook = settings.emqx.hook_port.unwrap_or(ports.broker_hook);
    Ok(ports)
}

/// Returns the public addresses of the device listeners: the host is the first name in the server's certificate.
fn device_urls(settings: &Settings, ports: &Ports) -> api::DeviceUrls {
    let host = settings.mqtt.server_names.first().map_or("localhost", String::as_str);
    let https = |port: u16, path: &str| format!("https://{host}:{port}/api/v1/{path}");
    api::DeviceUrls {
        mqtt_url: format!("mqtts://{host}:{}", ports.mqtt),
        telemetry_url: settings.ingest_http.enabled.then(|| https(ports.ingest_http, "telemetry")),
        enroll_url: settings.enroll.enabled.then(|| https(ports.enroll, "enroll")),
    }
}

/// Derives the key that signs access tokens from the master key, so that it is stored nowhere.
fn token_key(keys: &KeyFolder) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, keys.master.expose());
    hmac::sign(&key, b"argusiq access tokens 1").as_ref().to_vec()
}
