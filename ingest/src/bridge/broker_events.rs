//! What a broker says of its clients' comings and goings, as EMQX 5 and mosquitto 2 publish it. Pure. What becomes of a
//! notice is elsewhere.

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, SessionId};
use domain::telemetry::PresenceKind;
use serde::Deserialize;
use uuid::{Builder, Uuid};

/// Where brokers publish their notices: EMQX by client, mosquitto as lines of its log (`log_dest topic`) and how long it
/// has run.
pub const FILTERS: [&str; 4] =
    ["$SYS/brokers/+/clients/+/connected", "$SYS/brokers/+/clients/+/disconnected", "$SYS/broker/log/N", UPTIME];
/// Where mosquitto says every few seconds how long it has run.
const UPTIME: &str = "$SYS/broker/uptime";

/// A broker said something about a device or about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerEvent {
    /// A device came or went.
    Client(ClientEvent),
    /// The broker has run for so many seconds.
    Uptime(u32),
}

/// A device came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEvent {
    /// The device.
    pub device: DeviceId,
    /// What it did.
    pub kind: PresenceKind,
    /// Why it went.
    pub reason: Option<String>,
    /// When, by the broker's clock, where it says so: mosquitto in whole seconds.
    pub at: Option<DateTime<Utc>>,
    /// What else tells this connection from another of the device, where the broker says so.
    pub peer: String,
}

impl ClientEvent {
    /// Returns the id of the session that began with this notice, so many of the same device after the first at this
    /// time: the same for everybody who reads the notices, and greater than those of earlier sessions.
    pub fn session(&self, at: DateTime<Utc>, after: usize) -> SessionId {
        // The broker's clock may tell seconds only: the order of its notices goes before what else tells them apart.
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default() + after as u64;
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&self.connection());
        SessionId(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
    }

    /// Tells whether a session began with this very notice, as far as the two can be told apart.
    pub fn started(&self, session: SessionId) -> bool {
        let ours = self.session(DateTime::UNIX_EPOCH, 0);
        ours.0.as_bytes()[6..] == session.0.as_bytes()[6..]
    }

    fn connection(&self) -> [u8; 8] {
        fnv1a(&[self.device.0.as_bytes(), self.peer.as_bytes()].concat()).to_be_bytes()
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fnv1a(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

/// Reads a notice; none where the message is none, or is about a client that is no device, or says that a session went
/// on elsewhere. A retained message is what the broker said some time ago.
pub fn read(topic: &str, payload: &[u8], retained: bool) -> Option<BrokerEvent> {
    match topic.strip_prefix("$SYS/")?.split('/').collect::<Vec<_>>().as_slice() {
        ["brokers", _, "clients", client, "connected"] => emqx_connected(client, payload).map(BrokerEvent::Client),
        ["brokers", _, "clients", client, "disconnected"] => {
            emqx_disconnected(client, payload).map(BrokerEvent::Client)
        }
        ["broker", "log", "N"] => read_mosquitto_log(std::str::from_utf8(payload).ok()?).map(BrokerEvent::Client),
        ["broker", "uptime"] if !retained => {
            std::str::from_utf8(payload).ok()?.strip_suffix(" seconds")?.parse().ok().map(BrokerEvent::Uptime)
        }
        _ => None,
    }
}

/// As much of EMQX's notices as is used; times in milliseconds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EmqxEvent {
    connected_at: Option<i64>,
    disconnected_at: Option<i64>,
    reason: String,
}

fn emqx_connected(client: &str, payload: &[u8]) -> Option<ClientEvent> {
    let notice: EmqxEvent = serde_json::from_slice(payload).ok()?;
    let at = notice.connected_at.and_then(DateTime::from_timestamp_millis);
    client_event(client, PresenceKind::Connected, None, at)
}

fn emqx_disconnected(client: &str, payload: &[u8]) -> Option<ClientEvent> {
    let notice: EmqxEvent = serde_json::from_slice(payload).ok()?;
    let at = notice.disconnected_at.and_then(DateTime::from_timestamp_millis);
    let gone = |kind, reason| client_event(client, kind, Some(reason), at);
    match notice.reason.as_str() {
        // Another connection of the same client goes on.
        "takenover" | "takeovered" | "discarded" => None,
        "keepalive_timeout" => gone(PresenceKind::Silent, "timeout"),
        "normal" => gone(PresenceKind::Disconnected, "client_disconnect"),
        "kicked" | "kickout" => gone(PresenceKind::Disconnected, "kicked"),
        _ => gone(PresenceKind::Disconnected, "connection_lost"),
    }
}

/// Reads a line of mosquitto's log (2.0, `loop.c` and `handle__connect.c` name the forms), with or without its time,
/// seconds of Unix.
fn read_mosquitto_log(line: &str) -> Option<ClientEvent> {
    let timed = line.split_once(": ").and_then(|(time, rest)| Some((time.parse().ok()?, rest)));
    let (at, line) = timed.map_or((None, line), |(seconds, rest)| (DateTime::from_timestamp(seconds, 0), rest));
    if let Some(rest) = line.strip_prefix("New client connected from ") {
        let (peer, client) = rest.split_once(" as ")?;
        let came = client_event(client.split(' ').next()?, PresenceKind::Connected, None, at)?;
        return Some(ClientEvent { peer: peer.to_owned(), ..came });
    }
    let (client, what) = line.strip_prefix("Client ")?.split_once(' ')?;
    let gone = |kind, reason| client_event(client, kind, Some(reason), at);
    match what.trim_end_matches('.') {
        "disconnected" => gone(PresenceKind::Disconnected, "client_disconnect"),
        what if what.starts_with("has exceeded timeout") => gone(PresenceKind::Silent, "timeout"),
        what if what.starts_with("been disconnected by administrative action") => {
            gone(PresenceKind::Disconnected, "kicked")
        }
        what if what.starts_with("closed its connection") || what.starts_with("disconnected") => {
            gone(PresenceKind::Disconnected, "connection_lost")
        }
        // "already connected, closing old connection" among others: the new connection has a line of its own.
        _ => None,
    }
}

fn client_event(
    client: &str,
    kind: PresenceKind,
    reason: Option<&str>,
    at: Option<DateTime<Utc>>,
) -> Option<ClientEvent> {
    let device = Uuid::try_parse(client).ok().map(DeviceId)?;
    Some(ClientEvent { device, kind, reason: reason.map(str::to_owned), at, peer: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = "0192f0c1-7a3e-7000-8000-000000000001";

    fn said(topic: &str, payload: &str) -> Option<(PresenceKind, Option<String>)> {
        let event = event_of(topic, payload)?;
        assert_eq!(event.device.to_string(), DEVICE);
        Some((event.kind, event.reason))
    }

    fn event_of(topic: &str, payload: &str) -> Option<ClientEvent> {
        match read(&topic.replace("DEVICE", DEVICE), payload.replace("DEVICE", DEVICE).as_bytes(), false)? {
            BrokerEvent::Client(event) => Some(event),
            BrokerEvent::Uptime(_) => None,
        }
    }

    #[test]
    fn emqx_tells_by_client_and_gives_a_reason() {
        let topic = "$SYS/brokers/emqx@10.0.0.1/clients/DEVICE/connected";
        let payload = r#"{"username":"DEVICE","ts":1790000000123,"sockport":8883,"proto_ver":4,"proto_name":"MQTT",
            "keepalive":60,"ipaddress":"10.0.0.9","expiry_interval":0,"connected_at":1790000000123,"connack":0,
            "clientid":"DEVICE","clean_start":true}"#;
        assert_eq!(said(topic, payload), Some((PresenceKind::Connected, None)));
        let gone = |reason: &str| {
            let topic = "$SYS/brokers/emqx@10.0.0.1/clients/DEVICE/disconnected";
            said(
                topic,
                &format!(
                    r#"{{"username":"DEVICE","ts":1,"reason":"{reason}","disconnected_at":1,"clientid":"DEVICE"}}"#
                ),
            )
        };
        let ended = |kind, reason: &str| Some((kind, Some(reason.to_owned())));
        assert_eq!(gone("normal"), ended(PresenceKind::Disconnected, "client_disconnect"));
        assert_eq!(gone("keepalive_timeout"), ended(PresenceKind::Silent, "timeout"));
        assert_eq!(gone("tcp_closed"), ended(PresenceKind::Disconnected, "connection_lost"));
        assert_eq!(gone("ssl_closed"), ended(PresenceKind::Disconnected, "connection_lost"));
        assert_eq!(gone("kicked"), ended(PresenceKind::Disconnected, "kicked"));
        assert_eq!(gone("takenover"), None);
        assert_eq!(gone("discarded"), None);
    }

    #[test]
    fn mosquitto_tells_in_lines_of_its_log() {
        let line = |text: &str| said("$SYS/broker/log/N", text);
        let ended = |kind, reason: &str| Some((kind, Some(reason.to_owned())));
        let came = "New client connected from 127.0.0.1:52114 as DEVICE (p2, c1, k60, u'DEVICE').";
        assert_eq!(line(came), Some((PresenceKind::Connected, None)));
        assert_eq!(line(&format!("1790000000: {came}")), Some((PresenceKind::Connected, None)));
        assert_eq!(line("Client DEVICE disconnected."), ended(PresenceKind::Disconnected, "client_disconnect"));
        assert_eq!(line("Client DEVICE closed its connection."), ended(PresenceKind::Disconnected, "connection_lost"));
        assert_eq!(line("Client DEVICE has exceeded timeout, disconnecting."), ended(PresenceKind::Silent, "timeout"));
        let protocol = "Client DEVICE disconnected due to protocol error.";
        assert_eq!(line(protocol), ended(PresenceKind::Disconnected, "connection_lost"));
        let kicked = "Client DEVICE been disconnected by administrative action.";
        assert_eq!(line(kicked), ended(PresenceKind::Disconnected, "kicked"));
        assert_eq!(line("Client DEVICE already connected, closing old connection."), None);
    }

    #[test]
    fn the_session_is_the_same_for_every_reader_and_grows_with_time() {
        let came = |seconds: i64, port: u16| {
            let line = format!("{seconds}: New client connected from 127.0.0.1:{port} as DEVICE (p2, c1, k60).");
            let event = event_of("$SYS/broker/log/N", &line).unwrap();
            assert_eq!(event.at.map(|at| at.timestamp()), Some(seconds));
            (event.session(event.at.unwrap(), 0), event)
        };
        let ((first, event), (again, _)) = (came(1_790_000_000, 5_000), came(1_790_000_000, 5_000));
        assert_eq!(first, again);
        assert!(event.started(first) && !event.started(came(1_790_000_000, 5_001).0));
        for port in 5_000..5_100 {
            let (session, event) = came(1_790_000_000, port);
            assert!(event.session(event.at.unwrap(), 1) > first, "the second of a second is greater");
            assert!(session < came(1_790_000_001, 5_000).0, "a later second is greater");
        }
        let emqx = event_of("$SYS/brokers/n/clients/DEVICE/connected", r#"{"connected_at":1790000000123}"#).unwrap();
        assert_eq!(emqx.at.unwrap().timestamp_millis(), 1_790_000_000_123);
    }

    #[test]
    fn mosquitto_says_how_long_it_has_run_and_what_it_said_earlier_does_not_count() {
        assert_eq!(read("$SYS/broker/uptime", b"12 seconds", false), Some(BrokerEvent::Uptime(12)));
        assert_eq!(read("$SYS/broker/uptime", b"12 seconds", true), None);
        assert_eq!(read("$SYS/broker/uptime", b"long", false), None);
    }

    #[test]
    fn what_is_not_about_a_device_is_no_notice() {
        assert_eq!(read("$SYS/broker/log/N", b"Client argusiq-bridge-main-0 disconnected.", false), None);
        assert_eq!(read("$SYS/broker/log/N", b"\xff", false), None);
        assert_eq!(read("$SYS/brokers/n/clients/x/connected", b"{}", false), None);
        assert_eq!(read(&format!("$SYS/brokers/n/clients/{DEVICE}/disconnected"), b"no JSON", false), None);
        assert_eq!(read(&format!("v1/telemetry/o/{DEVICE}"), b"Client x disconnected.", false), None);
    }
}
