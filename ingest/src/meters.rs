//! Handles of the metrics that the hot path touches, looked up once. Not the names.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::metric_names as names;

/// Handles for doors and pipeline.
pub struct Meters {
    /// Open connections.
    pub connections: Gauge,
    /// Live sessions.
    pub sessions: Gauge,
    /// Messages taken into a raw pack.
    pub accepted: Counter,
    /// Payload octets of those.
    pub payload_bytes: Counter,
    /// Pauses of devices over their rate.
    pub rate_pauses: Counter,
    /// Seconds from arrival to PUBACK.
    pub puback_seconds: Histogram,
}

impl Meters {
    /// Looks the handles up in the installed recorder.
    pub fn new() -> Self {
        Self {
            connections: gauge!(names::CONNECTIONS),
            sessions: gauge!(names::SESSIONS),
            accepted: counter!(names::MESSAGES_ACCEPTED),
            payload_bytes: counter!(names::PAYLOAD_BYTES),
            rate_pauses: counter!(names::RATE_PAUSES),
            puback_seconds: histogram!(names::PUBACK_SECONDS),
        }
    }

    /// Counts a message sent to the dead letters.
    pub fn refused(&self, reason: &'static str) {
        counter!(names::MESSAGES_REFUSED, "reason" => reason).increment(1);
    }

    /// Counts a session that ended.
    pub fn ended(&self, reason: &'static str) {
        counter!(names::SESSIONS_ENDED, "reason" => reason).increment(1);
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new()
    }
}

/// Handles for one kind of pack.
pub struct PackMeters {
    packs: Counter,
    messages: Histogram,
}

impl PackMeters {
    /// Looks the handles up for a kind.
    pub fn new(kind: &'static str) -> Self {
        Self {
            packs: counter!(names::PACKS, "kind" => kind),
            messages: histogram!(names::PACK_MESSAGES, "kind" => kind),
        }
    }

    /// Counts a pack of so many messages.
    pub fn packed(&self, messages: usize) {
        self.packs.increment(1);
        self.messages.record(messages as f64);
    }
}
