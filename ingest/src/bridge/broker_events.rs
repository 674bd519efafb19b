//! Parses what a broker publishes about its clients: the system topics of EMQX 5 and the log lines of mosquitto 2.
//! Pure; `presence_publisher` turns the events into presence facts.

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, SessionId};
use domain::telemetry::PresenceKind;
use serde::Deserialize;
use uuid::{Builder, Uuid};

/// The topic filters of broker events: EMQX's topics per client, mosquitto's log (`log_dest topic`) and its uptime.
pub const FILTERS: [&str; 4] =
    ["$SYS/brokers/+/clients/+/connected", "$SYS/brokers/+/clients/+/disconnected", "$SYS/broker/log/N", UPTIME];
/// mosquitto publishes every few seconds how long it has been running.
const UPTIME: &str = "$SYS/broker/uptime";

/// Something that a broker published about a client or about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerEvent {
    /// A device connected or disconnected.
    Client(ClientEvent),
    /// How long the broker has been running, in seconds.
    Uptime(u32),
}

/// A device connected or disconnected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEvent {
    /// The device.
    pub device: DeviceId,
    /// Whether it connected, disconnected or fell silent.
    pub kind: PresenceKind,
    /// Why it disconnected.
    pub reason: Option<String>,
    /// When it happened by the broker's clock, if the broker says so; mosquitto says it in whole seconds.
    pub at: Option<DateTime<Utc>>,
    /// Distinguishes this connection from others of the same device: the client's address, if the broker reports it.
    pub peer: String,
}

impl ClientEvent {
    /// Returns the id of the session that began with this event. `after` is the number of sessions of the device that
    /// began at the same time before it. Every reader of the events computes the same id, and later sessions have
    /// greater ids.
    pub fn session(&self, at: DateTime<Utc>, after: usize) -> SessionId {
        // Adding `after` to the time makes later sessions within one clock tick greater; the hash below only tells
        // connections apart.
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default() + after as u64;
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&self.connection());
        SessionId(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
    }

    /// Tells whether a session began with this event, as far as device and peer can tell.
    pub fn started(&self, session: SessionId) -> bool {
        let ours = self.session(DateTime::UNIX_EPOCH, 0);
        ours.0.as_bytes()[6..] == session.0.as_bytes()[6..]
    }

    fn connection(&self) -> [u8; 8] {
        fnv1a(&[self.device.0.as_bytes(), self.peer.as_bytes()].concat()).to_be_bytes()
    }
}

/// FNV-1a, 64 bits: unlike the standard hasher, the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Parses a broker event. Returns `None` for other messages, for clients that are not devices and for a session that
/// continues on another connection. A retained uptime is ignored because it is out of date.
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

/// The fields of EMQX's events that are used; times in milliseconds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EmqxEvent {
    connected_at: Option<i64>,
    disconnected_at: Option<i64>,
    reason: String,
}

fn emqx_connected(client: &str, payload: &[u8]) -> Option<ClientEvent> {
    let event: EmqxEvent = serde_json::from_slice(payload).ok()?;
    let at = event.connected_at.and_then(DateTime::from_timestamp_millis);
    client_event(client, PresenceKind::Connected, None, at)
}

fn emqx_disconnected(client: &str, payload: &[u8]) -> Option<ClientEvent> {
    let event: EmqxEvent = serde_json::from_slice(payload).ok()?;
    let at = event.disconnected_at.and_then(DateTime::from_timestamp_millis);
    let gone = |kind, reason| client_event(client, kind, Some(reason), at);
    match event.reason.as_str() {
        // Another connection of the same client takes over.
        "takenover" | "takeovered" | "discarded" => None,
        "keepalive_timeout" => gone(PresenceKind::Silent, "timeout"),
        "normal" => gone(PresenceKind::Disconnected, "client_disconnect"),
        "kicked" | "kickout" => gone(PresenceKind::Disconnected, "kicked"),
        refused @ ("not_authorized" | "protocol_error") => gone(PresenceKind::Disconnected, refused),
        "frame_too_large" => gone(PresenceKind::Disconnected, "packet_too_large"),
        _ => gone(PresenceKind::Disconnected, "connection_lost"),
    }
}

/// Parses a line of mosquitto's log (formats as in `loop.c` and `handle__connect.c` of 2.0), with or without a leading
/// time in Unix seconds.
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
        "disconnected due to malformed packet" => gone(PresenceKind::Disconnected, "malformed_packet"),
        "disconnected due to protocol error" => gone(PresenceKind::Disconnected, "protocol_error"),
        "disconnected due to oversize packet" => gone(PresenceKind::Disconnected, "packet_too_large"),
        "disconnected due to QoS too high" => gone(PresenceKind::Disconnected, "qos_not_supported"),
        "disconnected due to retain not supported" => gone(PresenceKind::Disconnected, "retain_not_supported"),
        "disconnected, not authorised" => gone(PresenceKind::Disconnected, "not_authorized"),
        what if what.starts_with("closed its connection") || what.starts_with("disconnected") => {
            gone(PresenceKind::Disconnected, "connection_lost")
        }
        // Among others "already connected, closing old connection": the new connection logs its own line.
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

    fn read_client(topic: &str, payload: &str) -> Option<(PresenceKind, Option<String>)> {
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
    fn emqx_reports_each_client_with_a_reason() {
        let topic = "$SYS/brokers/emqx@10.0.0.1/clients/DEVICE/connected";
        let payload = r#"{"username":"DEVICE","ts":1790000000123,"sockport":8883,"proto_ver":4,"proto_name":"MQTT",
            "keepalive":60,"ipaddress":"10.0.0.9","expiry_interval":0,"connected_at":1790000000123,"connack":0,
            "clientid":"DEVICE","clean_start":true}"#;
        assert_eq!(read_client(topic, payload), Some((PresenceKind::Connected, None)));
        let gone = |reason: &str| {
            let topic = "$SYS/brokers/emqx@10.0.0.1/clients/DEVICE/disconnected";
            read_client(
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
        assert_eq!(gone("not_authorized"), ended(PresenceKind::Disconnected, "not_authorized"));
        assert_eq!(gone("frame_too_large"), ended(PresenceKind::Disconnected, "packet_too_large"));
        assert_eq!(gone("takenover"), None);
        assert_eq!(gone("discarded"), None);
    }

    #[test]
    fn mosquitto_reports_clients_in_its_log() {
        let line = |text: &str| read_client("$SYS/broker/log/N", text);
        let ended = |kind, reason: &str| Some((kind, Some(reason.to_owned())));
        let came = "New client connected from 127.0.0.1:52114 as DEVICE (p2, c1, k60, u'DEVICE').";
        assert_eq!(line(came), Some((PresenceKind::Connected, None)));
        assert_eq!(line(&format!("1790000000: {came}")), Some((PresenceKind::Connected, None)));
        assert_eq!(line("Client DEVICE disconnected."), ended(PresenceKind::Disconnected, "client_disconnect"));
        assert_eq!(line("Client DEVICE closed its connection."), ended(PresenceKind::Disconnected, "connection_lost"));
        assert_eq!(line("Client DEVICE has exceeded timeout, disconnecting."), ended(PresenceKind::Silent, "timeout"));
        for (what, reason) in [
            ("disconnected due to protocol error", "protocol_error"),
            ("disconnected due to oversize packet", "packet_too_large"),
            ("disconnected, not authorised", "not_authorized"),
            ("disconnected due to out of memory", "connection_lost"),
        ] {
            assert_eq!(line(&format!("Client DEVICE {what}.")), ended(PresenceKind::Disconnected, reason));
        }
        let kicked = "Client DEVICE been disconnected by administrative action.";
        assert_eq!(line(kicked), ended(PresenceKind::Disconnected, "kicked"));
        assert_eq!(line("Client DEVICE already connected, closing old connection."), None);
    }

    #[test]
    fn the_session_id_is_the_same_for_every_reader_and_grows_with_time() {
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
            assert!(event.session(event.at.unwrap(), 1) > first, "the second session within a second has a greater id");
            assert!(session < came(1_790_000_001, 5_000).0, "a session of a later second has a greater id");
        }
        let emqx = event_of("$SYS/brokers/n/clients/DEVICE/connected", r#"{"connected_at":1790000000123}"#).unwrap();
        assert_eq!(emqx.at.unwrap().timestamp_millis(), 1_790_000_000_123);
    }

    #[test]
    fn mosquitto_reports_its_uptime_and_a_retained_one_is_ignored() {
        assert_eq!(read("$SYS/broker/uptime", b"12 seconds", false), Some(BrokerEvent::Uptime(12)));
        assert_eq!(read("$SYS/broker/uptime", b"12 seconds", true), None);
        assert_eq!(read("$SYS/broker/uptime", b"long", false), None);
    }

    #[test]
    fn messages_that_are_not_about_a_device_are_ignored() {
        assert_eq!(read("$SYS/broker/log/N", b"Client argusiq-bridge-main-0 disconnected.", false), None);
        assert_eq!(read("$SYS/broker/log/N", b"\xff", false), None);
        assert_eq!(read("$SYS/brokers/n/clients/x/connected", b"{}", false), None);
        assert_eq!(read(&format!("$SYS/brokers/n/clients/{DEVICE}/disconnected"), b"no JSON", false), None);
        assert_eq!(read(&format!("v1/telemetry/o/{DEVICE}"), b"Client x disconnected.", false), None);
    }
}
