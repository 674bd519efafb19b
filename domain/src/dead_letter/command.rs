//! Commands of a dead letter; `aggregate` decides on them.

use crate::telemetry::DeadLetter;

/// Commands on a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub enum SettledLetterCommand {
    /// Resubmits the device's original message to the platform.
    RedriveDeadLetter {
        /// The letter as stored in the dead-letter stream.
        letter: Box<DeadLetter>,
    },
    /// Discards the letter.
    DiscardDeadLetter {
        /// An optional comment, 1 to 1,000 characters.
        comment: Option<String>,
    },
}
