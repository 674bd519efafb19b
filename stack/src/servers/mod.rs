//! The servers of the stack: what each is called, which version it takes, how it is prepared and asked whether it is
//! ready. One file per server; how processes are kept is not known here.

mod mosquitto;
pub(crate) mod nats;
mod postgres;
mod redis;

use std::fmt;

use crate::folder::Folder;
use crate::install::Binaries;
use crate::options::Broker;
use crate::process::Launch;
use crate::{Error, Options, Ports, Version, wire};

/// A server of the local stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Server {
    /// nats-server with JetStream.
    Nats,
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
    /// mosquitto, for tests of what stands behind a broker.
    Mosquitto,
}

impl Server {
    /// The name of its folder and log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Mosquitto => "mosquitto",
        }
    }

    /// The name of its program.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Postgres => "postgres",
            Self::Redis => "redis-server",
            Self::Mosquitto => "mosquitto",
        }
    }

    /// The oldest version that does: nats-server has `sync_interval: always` and the fixes of JetStream's Raft since
    /// 2.11; PostgreSQL has `wal_compression` by method since 15; Redis streams and ACLs are settled since 6;
    /// mosquitto has its dynamic-security plugin since 2.0.
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

/// What every server is prepared from.
pub(crate) struct Plan<'a> {
    pub options: &'a Options,
    pub folder: &'a Folder,
    pub binaries: &'a Binaries,
    pub ports: Ports,
}

impl Plan<'_> {
    /// Writes a server's configuration and data folder; returns how to start it.
    pub(crate) async fn prepare(&self, server: Server) -> Result<Launch, Error> {
        match server {
            Server::Nats => nats::prepare(self),
            Server::Postgres => postgres::prepare(self).await,
            Server::Redis => redis::prepare(self),
            Server::Mosquitto => mosquitto::prepare(self, self.broker()?).await,
        }
    }

    /// How mosquitto is to be, where it is part of the stack.
    pub(crate) fn broker(&self) -> Result<&Broker, Error> {
        self.options.mosquitto.as_ref().ok_or(Error::NotPart { server: Server::Mosquitto })
    }
}

/// Asks a server once whether it is ready, and whether it is ours: the process `pid` started from `launch`.
pub(crate) async fn probe(
    server: Server,
    ports: Ports,
    pid: u32,
    launch: &Launch,
    broker: Option<&Broker>,
) -> Result<(), wire::Error> {
    match server {
        Server::Nats => nats::probe(ports.nats, launch).await,
        Server::Postgres => postgres::probe(ports.postgres, launch).await,
        Server::Redis => redis::probe(ports.redis, pid).await,
        Server::Mosquitto => match broker {
            Some(broker) => mosquitto::probe(ports.broker, broker).await,
            None => Err(wire::Error::Refused("no broker was asked for".into())),
        },
    }
}
