//! What may be decided about a refused message. What does not live here: the decision.

use crate::telemetry::DeadLetter;

/// Commands on a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub enum SettledLetterCommand {
    /// Gives the device's message to the platform again, as it was.
    RedriveDeadLetter {
        /// The letter as the stream holds it.
        letter: Box<DeadLetter>,
    },
    /// Takes it off the list.
    DiscardDeadLetter {
        /// Why, 1 to 1,000 characters.
        comment: Option<String>,
    },
}
