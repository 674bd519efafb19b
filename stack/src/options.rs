//! What a caller chooses about a stack, and the tuning that follows from it.

use std::path::PathBuf;
use std::time::Duration;

use crate::ports::Ports;
use crate::server::Server;

/// How long a server may take until it answers. PostgreSQL replays its log after a kill: up to `max_wal_size`.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(60);
/// JetStream's file limit of a developer's machine, bytes. Declared stream limits are reserved against it.
const FILE_STORE_UP: u64 = 20_000_000_000;
/// JetStream's file limit in tests, bytes: so large (1 PiB) that the streams declared by hundreds of tests, each
/// reserving its own limit, never exhaust it. Nothing of it is allocated.
pub(crate) const FILE_STORE_TESTS: u64 = 1 << 50;

/// Whether data outlives the machine's crash, or only the servers' processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL syncs its log, Redis keeps an append-only file.
    Durable,
    /// PostgreSQL does not sync and Redis keeps nothing: for data thrown away after the test. JetStream syncs all the
    /// same, because the time this takes shapes what tests see.
    Throwaway,
}

/// What mosquitto is told: whom it believes, what it shows to devices, and the account of whoever reads everything.
#[derive(Clone)]
pub struct Broker {
    /// Certificates that devices' chains may end in, PEM.
    pub authority_file: PathBuf,
    /// The certificate that devices see, PEM.
    pub certificate_file: PathBuf,
    /// Its key, PEM.
    pub key_file: PathBuf,
    /// Revocation lists of every authority in a device's chain, PEM; read again on SIGHUP.
    pub revocation_file: Option<PathBuf>,
    /// The service account of the listener without TLS.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Whether the dynamic security plugin says who may do what, with the service account as its administrator, instead of
    /// two files that let every device use its own topics.
    pub dynamic_security: bool,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("certificate_file", &self.certificate_file).finish_non_exhaustive()
    }
}

/// What to start, where, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for data, logs and configuration; made when absent.
    pub data_dir: PathBuf,
    /// The ports; 0 is any free port.
    pub ports: Ports,
    /// Whether to start nats-server.
    pub nats: bool,
    /// Whether to start PostgreSQL.
    pub postgres: bool,
    /// Whether to start Redis.
    pub redis: bool,
    /// How to start mosquitto, if at all.
    pub mosquitto: Option<Broker>,
    /// Whether a missing server may be installed.
    pub install: bool,
    /// What survives a crash of the machine.
    pub durability: Durability,
    /// The most JetStream stores in files, bytes.
    pub nats_max_file_bytes: u64,
    /// Lines that nats-server's configuration ends with: users, TLS. Empty for a server that is open to this machine.
    pub nats_configuration: String,
    /// PostgreSQL's `shared_buffers`, MB.
    pub postgres_shared_buffers_mb: u32,
    /// How long each server may take until it answers.
    pub ready_within: Duration,
}

impl Options {
    /// All servers, durable, on default ports: what `argusiq up` starts.
    pub fn durable(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            ports: Ports::defaults(),
            nats: true,
            postgres: true,
            redis: true,
            mosquitto: None,
            install: true,
            durability: Durability::Durable,
            nats_max_file_bytes: FILE_STORE_UP,
            nats_configuration: String::new(),
            postgres_shared_buffers_mb: 256,
            ready_within: READY_WITHIN,
        }
    }

    /// All servers on free ports, for data that is thrown away: what tests start.
    pub fn throwaway(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            ports: Ports::free(),
            durability: Durability::Throwaway,
            nats_max_file_bytes: FILE_STORE_TESTS,
            postgres_shared_buffers_mb: 64,
            ..Self::durable(data_dir)
        }
    }

    /// Leaves only one server switched on.
    pub fn only(mut self, server: Server) -> Self {
        self.nats = server == Server::Nats;
        self.postgres = server == Server::Postgres;
        self.redis = server == Server::Redis;
        self.mosquitto = self.mosquitto.filter(|_| server == Server::Mosquitto);
        self
    }

    /// Adds mosquitto.
    #[must_use]
    pub fn with_mosquitto(self, broker: Broker) -> Self {
        Self { mosquitto: Some(broker), ..self }
    }

    /// The servers switched on.
    pub(crate) fn servers(&self) -> Vec<Server> {
        let switches = [
            (Server::Nats, self.nats),
            (Server::Postgres, self.postgres),
            (Server::Redis, self.redis),
            (Server::Mosquitto, self.mosquitto.is_some()),
        ];
        switches.into_iter().filter(|(_, on)| *on).map(|(server, _)| server).collect()
    }

    pub(crate) fn is_throwaway(&self) -> bool {
        self.durability == Durability::Throwaway
    }
}
