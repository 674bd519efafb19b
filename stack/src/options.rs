//! The options of a stack, and the server settings that follow from them.

use std::path::PathBuf;
use std::time::Duration;

use crate::ports::Ports;
use crate::server::Server;

/// How long a server may take until it responds. After a kill, PostgreSQL replays up to `max_wal_size` of its log.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(60);
/// JetStream's file limit on a developer's machine, in bytes. Declared stream limits are reserved against it.
const FILE_STORE_UP: u64 = 20_000_000_000;
/// JetStream's file limit in tests, in bytes: so large (1 PiB) that the streams of hundreds of tests, each reserving
/// its own limit, never exhaust it. None of it is allocated.
pub(crate) const FILE_STORE_TESTS: u64 = 1 << 50;

/// Whether data survives a crash of the machine, or only of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL syncs its log, Redis keeps an append-only file.
    Durable,
    /// PostgreSQL does not sync and Redis keeps nothing on disk, for data that a test discards. JetStream still syncs,
    /// because its latency shapes what tests observe.
    Throwaway,
}

/// The configuration of mosquitto: trusted authorities, its own certificate, and the service account.
#[derive(Clone)]
pub struct Broker {
    /// Trusted root certificates of devices, PEM.
    pub authority_file: PathBuf,
    /// The broker's certificate, PEM.
    pub certificate_file: PathBuf,
    /// The broker's private key, PEM.
    pub key_file: PathBuf,
    /// Revocation lists of every authority in a device's chain, PEM; read again on SIGHUP.
    pub revocation_file: Option<PathBuf>,
    /// The service account of the listener without TLS.
    pub user: String,
    /// The password of the service account.
    pub password: String,
    /// Whether the dynamic security plugin controls access, with the service account as its administrator, instead of a
    /// password file and an ACL file that let every device use its own topics.
    pub dynamic_security: bool,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("certificate_file", &self.certificate_file).finish_non_exhaustive()
    }
}

/// What to start, where and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for data, logs and configuration; created when absent.
    pub data_dir: PathBuf,
    /// The ports; 0 means any free port.
    pub ports: Ports,
    /// Whether to start nats-server.
    pub nats: bool,
    /// Whether to start PostgreSQL.
    pub postgres: bool,
    /// Whether to start Redis.
    pub redis: bool,
    /// The configuration of mosquitto; none to leave it out.
    pub mosquitto: Option<Broker>,
    /// Whether a missing server may be installed.
    pub install: bool,
    /// Whether data survives a crash of the machine.
    pub durability: Durability,
    /// JetStream's file limit, in bytes.
    pub nats_max_file_bytes: u64,
    /// Lines appended to nats-server's configuration, such as users and TLS. Without them, any local client may
    /// connect.
    pub nats_configuration: String,
    /// PostgreSQL's `shared_buffers`, in MB.
    pub postgres_shared_buffers_mb: u32,
    /// How long each server may take until it responds.
    pub ready_within: Duration,
}

impl Options {
    /// Returns the options of `argusiq up`: durable, on default ports, without mosquitto.
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

    /// Returns the options of tests: throwaway data, on free ports, without mosquitto.
    pub fn throwaway(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            ports: Ports::free(),
            durability: Durability::Throwaway,
            nats_max_file_bytes: FILE_STORE_TESTS,
            postgres_shared_buffers_mb: 64,
            ..Self::durable(data_dir)
        }
    }

    /// Disables all servers but one.
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

    /// Lists the enabled servers.
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
