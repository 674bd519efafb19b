//! The table of ports, and how free ports are chosen and remembered.
//!
//! | port | without a base | with `--port-base N` |
//! | --- | --- | --- |
//! | HTTP | 3000 | N |
//! | MQTT | 8883 | N + 1 |
//! | NATS | free, remembered | N + 2 |
//! | NATS monitoring | free, remembered | N + 3 |
//! | PostgreSQL | free, remembered | N + 4 |
//! | Redis | free, remembered | N + 5 |
//! | HTTP for devices | 8443 | N + 6 |
//! | the broker's webhook, where enabled | 8444 | N + 7 |
//! | device enrolment | 8445 | N + 8 |
//! | mosquitto, where enabled | free, remembered | free, remembered |
//!
//! A free port is stored in `ports.json` in the data folder and reused as long as no other process listens on it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::server::Server;

/// The number of consecutive ports that a stack takes from its base.
pub const SPAN: u16 = 9;

/// The range of free ports. It is below Linux's range for outgoing connections (32768 to 60999, `ip(7)`), so that no
/// connection takes a server's port while the server restarts.
const FREE_RANGE: std::ops::Range<u16> = 20_000..32_000;

const PORTS_FILE: &str = "ports.json";

/// The ports of one stack; 0 means any free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The API and the console.
    pub http: u16,
    /// MQTT for devices.
    pub mqtt: u16,
    /// NATS clients.
    pub nats: u16,
    /// NATS monitoring, HTTP.
    pub nats_monitoring: u16,
    /// PostgreSQL.
    pub postgres: u16,
    /// Redis.
    pub redis: u16,
    /// HTTP for devices.
    #[serde(default)]
    pub ingest_http: u16,
    /// The webhook that the broker calls.
    #[serde(default)]
    pub broker_hook: u16,
    /// Device enrolment.
    #[serde(default)]
    pub enroll: u16,
    /// mosquitto without TLS, for the service account.
    #[serde(default)]
    pub broker: u16,
    /// mosquitto with TLS, for devices.
    #[serde(default)]
    pub broker_tls: u16,
}

impl Ports {
    /// Returns the defaults: HTTP on 3000, MQTT on 8883, HTTP for devices on 8443, the broker's webhook on 8444,
    /// enrolment on 8445, the servers on free ports.
    pub const fn defaults() -> Self {
        Self { http: 3000, mqtt: 8883, ingest_http: 8443, broker_hook: 8444, enroll: 8445, ..Self::free() }
    }

    /// Returns free ports only, for tests and for several stacks on one machine.
    pub const fn free() -> Self {
        Self {
            http: 0,
            mqtt: 0,
            nats: 0,
            nats_monitoring: 0,
            postgres: 0,
            redis: 0,
            ingest_http: 0,
            broker_hook: 0,
            enroll: 0,
            broker: 0,
            broker_tls: 0,
        }
    }

    /// Returns nine consecutive ports from `base`, in the order of the table.
    pub const fn from_base(base: u16) -> Result<Self, Error> {
        if base == 0 || base > u16::MAX - SPAN + 1 {
            return Err(Error::PortBase { base });
        }
        Ok(Self {
            http: base,
            mqtt: base + 1,
            nats: base + 2,
            nats_monitoring: base + 3,
            postgres: base + 4,
            redis: base + 5,
            ingest_http: base + 6,
            broker_hook: base + 7,
            enroll: base + 8,
            ..Self::free()
        })
    }

    /// Replaces every 0 with the remembered port if it is free, else with another free port. Ports given by number are
    /// kept; whether they are free is checked when their server starts.
    pub(crate) fn resolve(self, remembered: Option<Self>) -> Self {
        let remembered = remembered.unwrap_or(Self::free());
        let choose = |asked: u16, before: u16| match asked {
            0 if before != 0 && is_free(before) => before,
            0 => free_port(),
            given => given,
        };
        Self {
            http: choose(self.http, remembered.http),
            mqtt: choose(self.mqtt, remembered.mqtt),
            nats: choose(self.nats, remembered.nats),
            nats_monitoring: choose(self.nats_monitoring, remembered.nats_monitoring),
            postgres: choose(self.postgres, remembered.postgres),
            redis: choose(self.redis, remembered.redis),
            ingest_http: choose(self.ingest_http, remembered.ingest_http),
            broker_hook: choose(self.broker_hook, remembered.broker_hook),
            enroll: choose(self.enroll, remembered.enroll),
            broker: choose(self.broker, remembered.broker),
            broker_tls: choose(self.broker_tls, remembered.broker_tls),
        }
    }

    /// Returns the ports that a server listens on, with the purpose of each.
    pub(crate) fn of(self, server: Server) -> Vec<(&'static str, u16)> {
        match server {
            Server::Nats => vec![("nats-server", self.nats), ("NATS monitoring", self.nats_monitoring)],
            Server::Postgres => vec![("PostgreSQL", self.postgres)],
            Server::Redis => vec![("Redis", self.redis)],
            Server::Mosquitto => vec![("mosquitto", self.broker), ("mosquitto with TLS", self.broker_tls)],
        }
    }

    /// Whether a server has this port.
    pub(crate) fn include(self, port: u16) -> bool {
        [self.nats, self.nats_monitoring, self.postgres, self.redis, self.broker, self.broker_tls].contains(&port)
    }

    /// Reads the ports that this data folder used last; none where they are not stored.
    pub(crate) fn remembered(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(PORTS_FILE)).ok()?).ok()
    }

    /// Stores the ports in the data folder.
    pub(crate) fn remember(self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(PORTS_FILE);
        let text = serde_json::to_vec_pretty(&self).unwrap_or_default();
        std::fs::write(&path, text).map_err(Error::file("write", path))
    }
}

/// Returns a free TCP port of 127.0.0.1. A process gets no port twice until it has used half of the range. Another
/// process may take the port before it is used.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    if given.len() > usize::from(FREE_RANGE.end - FREE_RANGE.start) / 2 {
        given.clear();
    }
    let start = rand::rng().random_range(FREE_RANGE);
    let port =
        (start..FREE_RANGE.end).chain(FREE_RANGE.start..start).find(|port| !given.contains(port) && is_free(*port));
    let port = port.unwrap_or(start);
    given.insert(port);
    port
}

/// Fails if a port of 127.0.0.1 is in use; `name` is its purpose in the error.
pub fn ensure_free(name: &'static str, port: u16) -> Result<(), Error> {
    if is_free(port) { Ok(()) } else { Err(Error::PortInUse { name, port }) }
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_gives_nine_ports_in_the_order_of_the_table() {
        let ports = Ports::from_base(4000).unwrap();
        let (http, mqtt, nats, nats_monitoring, postgres, redis) = (4000, 4001, 4002, 4003, 4004, 4005);
        let (ingest_http, broker_hook, enroll) = (4006, 4007, 4008);
        let servers = Ports { nats, nats_monitoring, postgres, redis, ..Ports::free() };
        let expected = Ports { http, mqtt, ingest_http, broker_hook, enroll, ..servers };
        assert_eq!(ports, expected);
    }

    #[test]
    fn a_base_without_room_for_nine_ports_is_refused() {
        assert!(matches!(Ports::from_base(0), Err(Error::PortBase { base: 0 })));
        assert!(Ports::from_base(65_527).is_ok());
        let error = Ports::from_base(65_528).unwrap_err();
        assert_eq!(error.to_string(), "--port-base 65528 is out of range: choose 1 to 65527");
    }

    #[test]
    fn a_free_port_is_in_range_and_not_returned_twice() {
        let ports: BTreeSet<u16> = (0..200).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 200);
        assert!(ports.iter().all(|port| FREE_RANGE.contains(port)));
    }

    #[test]
    fn a_remembered_port_is_reused_unless_another_process_listens_on_it() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).unwrap();
        let taken = taken.local_addr().map(|address| (taken, address.port())).unwrap();
        let remembered = Ports { nats: free_port(), redis: taken.1, ..Ports::free() };
        let ports = Ports::defaults().resolve(Some(remembered));
        assert_eq!((ports.http, ports.mqtt, ports.nats), (3000, 8883, remembered.nats));
        assert_ne!(ports.redis, taken.1);
        assert_ne!(ports.postgres, 0);
    }

    #[test]
    fn a_port_in_use_is_refused_by_name() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let message = ensure_free("Redis", port).unwrap_err().to_string();
        assert!(message.starts_with(&format!("port {port} for Redis is already in use: ")), "{message}");
    }

    #[test]
    fn ports_are_remembered_in_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Ports::remembered(folder.path()), None);
        let ports = Ports::from_base(7000).unwrap();
        ports.remember(folder.path()).unwrap();
        assert_eq!(Ports::remembered(folder.path()), Some(ports));
    }
}
