//! The servers that a stack can run, with their names and oldest supported versions.

use std::fmt;

use crate::version::Version;

/// A server of the local stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// nats-server with JetStream.
    Nats,
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
    /// mosquitto, for tests of the bridge behind a broker.
    Mosquitto,
}

impl Server {
    /// Returns the name of its folder and log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Mosquitto => "mosquitto",
        }
    }

    /// Returns the name of its program.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Postgres => "postgres",
            Self::Redis => "redis-server",
            Self::Mosquitto => "mosquitto",
        }
    }

    /// Returns the oldest supported version: nats-server has `sync_interval: always` and the fixes of JetStream's Raft
    /// since 2.11; PostgreSQL has `wal_compression` by method since 15; Redis has stable streams and ACLs since 6;
    /// mosquitto has its dynamic security plugin since 2.0.
    pub(crate) const fn oldest_version(self) -> Version {
        match self {
            Self::Nats => Version(2, 11, 0),
            Self::Postgres => Version(15, 0, 0),
            Self::Redis => Version(6, 0, 0),
            Self::Mosquitto => Version(2, 0, 0),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nats => "nats-server",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Mosquitto => "mosquitto",
        })
    }
}
