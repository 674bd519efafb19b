//! The states of an alarm.

use serde::{Deserialize, Serialize};

use crate::alarming::Suppression;
use crate::word_enum::word_enum;

/// Alarm states of ISA-18.2, section 5.2: active or returned to normal, acknowledged or not, put aside by a person or by
/// design; and closed, which the standard leaves to systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// The condition holds and nobody has seen it.
    ActiveUnacknowledged,
    /// The condition holds and somebody has seen it.
    ActiveAcknowledged,
    /// The condition holds no longer, and nobody has seen that it did.
    ReturnedUnacknowledged,
    /// Over and seen.
    Normal,
    /// Put aside by a person for a time.
    Shelved,
    /// Not told of, because its asset or one above it is out of service.
    SuppressedByDesign,
    /// Dismissed, or another alarm of the same rule and entity stands in its place.
    Closed,
}

impl From<Suppression> for AlarmState {
    fn from(suppression: Suppression) -> Self {
        match suppression {
            Suppression::Shelved { .. } => Self::Shelved,
            Suppression::OutOfService => Self::SuppressedByDesign,
        }
    }
}

impl AlarmState {
    /// Returns the state of an alarm that was raised.
    pub const fn of(acknowledged: bool, returned_to_normal: bool) -> Self {
        match (acknowledged, returned_to_normal) {
            (false, false) => Self::ActiveUnacknowledged,
            (true, false) => Self::ActiveAcknowledged,
            (false, true) => Self::ReturnedUnacknowledged,
            (true, true) => Self::Normal,
        }
    }
}

word_enum!(AlarmState {
    ActiveUnacknowledged "active_unacknowledged",
    ActiveAcknowledged "active_acknowledged",
    ReturnedUnacknowledged "returned_unacknowledged",
    Normal "normal",
    Shelved "shelved",
    SuppressedByDesign "suppressed_by_design",
    Closed "closed",
});
