//! Why a message or a reading is rejected, with stable reason codes: by the ways in and by the normalizer.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal),* $(,)?) => {
        /// Why a message or a reading is rejected. The codes are stored in dead letters and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),*];

            /// Returns the stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

reasons! {
    /// The payload is not JSON.
    MalformedJson "malformed_json",
    /// A number is NaN, infinite or outside the range of a 64-bit float.
    NotFinite "not_finite",
    /// The JSON does not have the shape of readings.
    WrongShape "wrong_shape",
    /// There is no metric with a value.
    NoMetrics "no_metrics",
    /// The reading has too many metrics.
    TooManyMetrics "too_many_metrics",
    /// The protocol converter of the device's type rejected the payload.
    NotConverted "not_converted",
    /// The payload has too many readings.
    TooManyReadings "too_many_readings",
    /// A metric key is invalid.
    BadKey "bad_key",
    /// A metric occurs twice.
    DuplicateKey "duplicate_key",
    /// A value is an object or an array.
    NestedValue "nested_value",
    /// A text value is too long.
    TextTooLong "text_too_long",
    /// The time of measurement is invalid.
    BadTime "bad_time",
    /// The time of measurement is before the retention period of the telemetry.
    ClockTooEarly "clock_too_early",
    /// The time of measurement is too far in the future.
    ClockTooLate "clock_too_late",
    /// A metric declared as number has another kind of value.
    NotANumber "not_a_number",
    /// A metric declared as boolean has another kind of value.
    NotABoolean "not_a_boolean",
    /// A metric declared as text has another kind of value.
    NotAText "not_a_text",
    /// A metric is not declared, and the device type rejects undeclared metrics.
    UnknownMetric "unknown_metric",
    /// A metric that the device type requires is missing.
    MissingMetric "missing_metric",
    /// The device is unknown.
    UnknownDevice "unknown_device",
    /// The device belongs to another organisation.
    WrongOrganization "wrong_organization",
    /// The device is decommissioned.
    Decommissioned "decommissioned",
    /// The topic belongs to another device.
    WrongDevice "wrong_device",
    /// The sender names another device and is not a gateway.
    NotAGateway "not_a_gateway",
    /// Devices do not publish to this topic.
    UnknownTopic "unknown_topic",
    /// The message was published with the retain flag.
    Retained "retained",
    /// The message is too large.
    Oversize "oversize",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The rejection of a reading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// Human-readable detail.
    pub detail: String,
}

impl Refusal {
    /// Creates a refusal.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
