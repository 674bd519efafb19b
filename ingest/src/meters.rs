//! Metric handles of the hot path, looked up once. Their names are in `metric_names`.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::metric_names as names;

/// Metric handles of doors and pipeline.
pub struct Meters {
    /// Open connections.
    pub connections: Gauge,
    /// Live sessions.
    pub sessions: Gauge,
    /// Messages accepted into a raw pack.
    pub accepted: Counter,
    /// Their payload bytes.
    pub payload_bytes: Counter,
    /// Read pauses of devices over their rate.
    pub rate_pauses: Counter,
    /// Seconds from arrival to PUBACK.
    pub puback_seconds: Histogram,
}

impl Meters {
    /// Looks up the handles in the installed recorder.
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

    /// Counts a dead letter.
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

/// Metric handles of one kind of pack.
pub struct PackMeters {
    packs: Counter,
    messages: Histogram,
}

impl PackMeters {
    /// Looks up the handles of a kind.
    pub fn new(kind: &'static str) -> Self {
        Self {
            packs: counter!(names::PACKS, "kind" => kind),
            messages: histogram!(names::PACK_MESSAGES, "kind" => kind),
        }
    }

    /// Counts a pack with this many messages.
    pub fn packed(&self, messages: usize) {
        self.packs.increment(1);
        self.messages.record(messages as f64);
    }
}
