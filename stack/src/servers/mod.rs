//! Prepares each server's configuration and probes whether it is ready. One file per server; running the processes
//! lives in `process`.

mod mosquitto;
pub(crate) mod nats;
mod plan;
mod postgres;
mod redis;

use crate::error::Error;
use crate::options::Broker;
use crate::ports::Ports;
use crate::process::Launch;
use crate::protocols;
use crate::server::Server;
pub(crate) use plan::Plan;

/// Writes a server's configuration and data folder. Returns how to start it.
pub(crate) async fn prepare(plan: &Plan<'_>, server: Server) -> Result<Launch, Error> {
    match server {
        Server::Nats => nats::prepare(plan),
        Server::Postgres => postgres::prepare(plan).await,
        Server::Redis => redis::prepare(plan),
        Server::Mosquitto => {
            let broker = plan.options.mosquitto.as_ref().ok_or(Error::NotPart { server })?;
            mosquitto::prepare(plan, broker).await
        }
    }
}

/// Probes a server once: whether it is ready, and whether it is the process `pid` that was started from `launch`.
pub(crate) async fn probe(
    server: Server,
    ports: Ports,
    pid: u32,
    launch: &Launch,
    broker: Option<&Broker>,
) -> Result<(), protocols::Error> {
    match server {
        Server::Nats => nats::probe(ports.nats, launch).await,
        Server::Postgres => postgres::probe(ports.postgres, launch).await,
        Server::Redis => redis::probe(ports.redis, pid).await,
        Server::Mosquitto => match broker {
            Some(broker) => mosquitto::probe(ports.broker, broker).await,
            None => Err(protocols::Error::Refused("the stack has no broker".into())),
        },
    }
}
