//! The names of all metrics of this crate.

/// Gauge: open connections, handshakes included.
pub const CONNECTIONS: &str = "ingest_connections";
/// Gauge: admitted MQTT sessions that have not ended.
pub const SESSIONS: &str = "ingest_sessions";
/// Counter by `reason`: connections refused before or at CONNECT, handshakes excluded.
pub const CONNECTS_REFUSED: &str = "ingest_connects_refused_total";
/// Counter: broker connections that were lost.
pub const BRIDGE_CONNECTIONS_LOST: &str = "ingest_bridge_connections_lost_total";
/// Counter by `reason`: TLS handshakes that failed.
pub const HANDSHAKES_REFUSED: &str = "ingest_handshakes_refused_total";
/// Counter by `reason`: sessions that ended.
pub const SESSIONS_ENDED: &str = "ingest_sessions_ended_total";
/// Counter: messages accepted into a raw pack.
pub const MESSAGES_ACCEPTED: &str = "ingest_messages_accepted_total";
/// Counter by `reason`: messages sent to the dead letters.
pub const MESSAGES_REFUSED: &str = "ingest_messages_refused_total";
/// Counter: payload bytes of accepted messages.
pub const PAYLOAD_BYTES: &str = "ingest_payload_bytes_total";
/// Counter: read pauses of devices over their rate.
pub const RATE_PAUSES: &str = "ingest_rate_pauses_total";
/// Histogram: seconds from the arrival of a QoS 1 message to its PUBACK.
pub const PUBACK_SECONDS: &str = "ingest_puback_seconds";
/// Counter by `kind` (`raw`, `dead_letters`): packs encoded for the log.
pub const PACKS: &str = "ingest_packs_total";
/// Histogram by `kind`: messages in a pack.
pub const PACK_MESSAGES: &str = "ingest_pack_messages";
/// Counter by `kind` of fact: presence facts written.
pub const PRESENCE_FACTS: &str = "ingest_presence_facts_total";
/// Gauge: seconds since the directory was last seen at the head of the log.
pub const DIRECTORY_LAG_SECONDS: &str = "ingest_directory_lag_seconds";

/// Counter by `status`: responses of the HTTP door.
pub const HTTP_ANSWERS: &str = "ingest_http_answers_total";
/// Histogram: seconds from a request of the HTTP door to its response.
pub const HTTP_SECONDS: &str = "ingest_http_seconds";
/// Counter by `result` (`allow`, `deny`, `ignore`, `wrong_secret`): responses of the authentication hook.
pub const HOOK_ANSWERS: &str = "ingest_hook_answers_total";
/// Counter by `result` (`done`, `given_up`): sessions that the broker was asked to end.
pub const KICKS: &str = "ingest_kicks_total";
/// Counter by `change` (`entered`, `left`): devices added to or removed from a mosquitto broker's access list.
pub const BROKER_DEVICES: &str = "ingest_broker_devices_total";

/// Registers the description of every metric with the installed recorder.
pub fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(CONNECTIONS, "open connections, handshakes included");
    describe_gauge!(SESSIONS, "admitted MQTT sessions that have not ended");
    describe_counter!(CONNECTS_REFUSED, "connections refused before or at CONNECT, handshakes excluded");
    describe_counter!(HANDSHAKES_REFUSED, "TLS handshakes that failed");
    describe_counter!(BRIDGE_CONNECTIONS_LOST, "broker connections that were lost");
    describe_counter!(SESSIONS_ENDED, "sessions that ended");
    describe_counter!(MESSAGES_ACCEPTED, "messages accepted into a raw pack");
    describe_counter!(MESSAGES_REFUSED, "messages sent to the dead letters");
    describe_counter!(PAYLOAD_BYTES, Unit::Bytes, "payload bytes of accepted messages");
    describe_counter!(RATE_PAUSES, "read pauses of devices over their rate");
    describe_histogram!(PUBACK_SECONDS, Unit::Seconds, "from the arrival of a QoS 1 message to its PUBACK");
    describe_counter!(PACKS, "packs encoded for the log");
    describe_histogram!(PACK_MESSAGES, "messages in a pack");
    describe_counter!(PRESENCE_FACTS, "presence facts written");
    describe_counter!(HTTP_ANSWERS, "responses of the HTTP door");
    describe_histogram!(HTTP_SECONDS, Unit::Seconds, "from a request of the HTTP door to its response");
    describe_counter!(HOOK_ANSWERS, "responses of the authentication hook");
    describe_counter!(KICKS, "sessions that the broker was asked to end");
    describe_counter!(BROKER_DEVICES, "devices added to or removed from a mosquitto broker's access list");
    describe_gauge!(DIRECTORY_LAG_SECONDS, Unit::Seconds, "since the directory was last seen at the head of the log");
}
