//! The states of an alarm.

use serde::{Deserialize, Serialize};

use crate::alarming::Suppression;
use crate::word_enum::word_enum;

/// Alarm states of ISA-18.2, section 5.2: active or returned to normal, acknowledged or not, shelved, suppressed by
/// design; and closed, which the standard leaves to implementations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// The condition holds; not acknowledged.
    ActiveUnacknowledged,
    /// The condition holds; acknowledged.
    ActiveAcknowledged,
    /// The condition no longer holds; never acknowledged.
    ReturnedUnacknowledged,
    /// The condition no longer holds; acknowledged.
    Normal,
    /// A user suppressed it for a limited time.
    Shelved,
    /// Suppressed because its asset or an ancestor of it is out of service.
    SuppressedByDesign,
    /// Dismissed until the breach recurs, or superseded by a newer alarm of the same rule and entity.
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
    /// Returns the state of an alarm that is neither closed nor suppressed.
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
