//! Why a reading is refused, as stable codes.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal),* $(,)?) => {
        /// Why a reading is refused. The code of each stands in dead letters and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),*];

            /// Answers the stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

reasons! {
    /// No JSON.
    MalformedJson "malformed_json",
    /// A number is NaN, infinite or beyond what a 64-bit float can hold.
    NotFinite "not_finite",
    /// JSON of another shape than readings have.
    WrongShape "wrong_shape",
    /// No metric with a value.
    NoMetrics "no_metrics",
    /// More metrics than one reading may have.
    TooManyMetrics "too_many_metrics",
    /// The device type's protocol converter made no reading of it.
    NotConverted "not_converted",
    /// No reading, or more than one payload may have.
    TooManyReadings "too_many_readings",
    /// A metric's key is not one.
    BadKey "bad_key",
    /// A metric stands twice.
    DuplicateKey "duplicate_key",
    /// A metric's value is an object or an array.
    NestedValue "nested_value",
    /// A text is too long.
    TextTooLong "text_too_long",
    /// The time is no time.
    BadTime "bad_time",
    /// Measured longer ago than data is kept.
    ClockTooEarly "clock_too_early",
    /// Measured in the future.
    ClockTooLate "clock_too_late",
    /// Declared a number, sent as something else.
    NotANumber "not_a_number",
    /// Declared true or false, sent as something else.
    NotABoolean "not_a_boolean",
    /// Declared text, sent as something else.
    NotAText "not_a_text",
    /// Not declared, and the type refuses such metrics.
    UnknownMetric "unknown_metric",
    /// Declared as required, not sent.
    MissingMetric "missing_metric",
    /// No such device.
    UnknownDevice "unknown_device",
    /// The device belongs to another organisation.
    WrongOrganization "wrong_organization",
    /// The device is out of service.
    Decommissioned "decommissioned",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A refused reading: why, and what exactly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// Human-readable detail.
    pub detail: String,
}

impl Refusal {
    /// Makes a refusal.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
