//! What a broker says of its clients' comings and goings, as EMQX 5 and mosquitto 2 publish it. Pure. What becomes of a
//! notice is elsewhere.

use domain::ids::DeviceId;
use domain::telemetry::PresenceKind;
use serde::Deserialize;
use uuid::Uuid;

/// Where brokers publish their notices: EMQX by client, mosquitto as lines of its log (`log_dest topic`).
pub const FILTERS: [&str; 3] =
    ["$SYS/brokers/+/clients/+/connected", "$SYS/brokers/+/clients/+/disconnected", "$SYS/broker/log/N"];

/// A device came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The device.
    pub device: DeviceId,
    /// What it did.
    pub kind: PresenceKind,
    /// Why it went.
    pub reason: Option<String>,
}

/// Reads a notice; none where the message is none, or is about a client that is no device, or says that a session went
/// on elsewhere.
pub fn read(topic: &str, payload: &[u8]) -> Option<Notice> {
    match topic.strip_prefix("$SYS/")?.split('/').collect::<Vec<_>>().as_slice() {
        ["brokers", _, "clients", client, "connected"] => connected(client),
        ["brokers", _, "clients", client, "disconnected"] => emqx_disconnected(client, payload),
        ["broker", "log", "N"] => mosquitto(std::str::from_utf8(payload).ok()?),
        _ => None,
    }
}

/// As much of EMQX's notice as is used.
#[derive(Deserialize)]
struct Disconnected {
    #[serde(default)]
    reason: String,
}

fn emqx_disconnected(client: &str, payload: &[u8]) -> Option<Notice> {
    let notice: Disconnected = serde_json::from_slice(payload).ok()?;
    match notice.reason.as_str() {
        // Another connection of the same client goes on.
        "takenover" | "takeovered" | "discarded" => None,
        "keepalive_timeout" => gone(client, PresenceKind::Silent, "timeout"),
        "normal" => gone(client, PresenceKind::Disconnected, "client_disconnect"),
        "kicked" | "kickout" => gone(client, PresenceKind::Disconnected, "kicked"),
        _ => gone(client, PresenceKind::Disconnected, "connection_lost"),
    }
}

/// Reads a line of mosquitto's log (2.0, `loop.c` and `handle__connect.c` name the forms), with or without its time.
fn mosquitto(line: &str) -> Option<Notice> {
    let line =
        line.split_once(": ").filter(|(time, _)| time.bytes().all(|c| c.is_ascii_digit())).map_or(line, |at| at.1);
    if let Some(rest) = line.strip_prefix("New client connected from ") {
        let (_, client) = rest.split_once(" as ")?;
        return connected(client.split(' ').next()?);
    }
    let client = line.strip_prefix("Client ")?.split(' ').next()?;
    let what = line.strip_prefix("Client ")?.strip_prefix(client)?.trim_start();
    match what.trim_end_matches('.') {
        "disconnected" => gone(client, PresenceKind::Disconnected, "client_disconnect"),
        what if what.starts_with("already connected") => None,
        what if what.starts_with("has exceeded timeout") => gone(client, PresenceKind::Silent, "timeout"),
        what if what.starts_with("been disconnected by administrative action") => {
            gone(client, PresenceKind::Disconnected, "kicked")
        }
        what if what.starts_with("closed its connection") || what.starts_with("disconnected") => {
            gone(client, PresenceKind::Disconnected, "connection_lost")
        }
        _ => None,
    }
}

fn connected(client: &str) -> Option<Notice> {
    Some(Notice { device: device(client)?, kind: PresenceKind::Connected, reason: None })
}

fn gone(client: &str, kind: PresenceKind, reason: &str) -> Option<Notice> {
    Some(Notice { device: device(client)?, kind, reason: Some(reason.to_owned()) })
}

fn device(client: &str) -> Option<DeviceId> {
    Uuid::try_parse(client).ok().map(DeviceId)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = "0192f0c1-7a3e-7000-8000-000000000001";

    fn said(topic: &str, payload: &str) -> Option<(PresenceKind, Option<String>)> {
        let notice = read(&topic.replace("DEVICE", DEVICE), payload.replace("DEVICE", DEVICE).as_bytes())?;
        assert_eq!(notice.device.to_string(), DEVICE);
        Some((notice.kind, notice.reason))
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
    fn what_is_not_about_a_device_is_no_notice() {
        assert_eq!(read("$SYS/broker/log/N", b"Client argusiq-bridge-main-0 disconnected."), None);
        assert_eq!(read("$SYS/broker/log/N", b"\xff"), None);
        assert_eq!(read("$SYS/broker/uptime", b"12 seconds"), None);
        assert_eq!(read("$SYS/brokers/n/clients/x/connected", b"{}"), None);
        assert_eq!(read(&format!("$SYS/brokers/n/clients/{DEVICE}/disconnected"), b"no JSON"), None);
        assert_eq!(read(&format!("v1/telemetry/o/{DEVICE}"), b"Client x disconnected."), None);
    }
}
