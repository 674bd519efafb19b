//! State of a dead letter and its decisions.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, SettledLetterCommand, SettledLetterEvent};
use crate::aggregate::{Decide, aggregate};
use crate::ids::derive;
use crate::telemetry::payload::Reason;

/// Namespace of dead-letter ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b3e_51c2_9a0d_4f77_8e15_2c94_d0a7_13fb);

/// Maximum length of a comment, characters.
const MAX_COMMENT: usize = 1_000;

/// Returns the id of a dead letter from the sequence of its message in the dead-letter stream and its index in that
/// message, from 0.
pub fn id_of(sequence: u64, index: usize) -> Uuid {
    derive(NAMESPACE, &[&sequence.to_string(), &index.to_string()])
}

/// The state of a dead letter, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SettledLetter {
    /// How the letter was settled; `None` while it is open.
    pub settled: Option<Settled>,
}

/// How a dead letter was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// Its message was resubmitted.
    Redriven,
    /// It was discarded.
    Discarded,
}

impl Decide for SettledLetter {
    type Command = SettledLetterCommand;
    type Event = SettledLetterEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        if self.settled.is_some() {
            return Err(Error::Settled);
        }
        match command {
            SettledLetterCommand::RedriveDeadLetter { letter } => {
                let (Some(device), Some(_)) = (letter.device, letter.organization) else {
                    return Err(Error::NoSender);
                };
                // It is about another device than the one that the letter names.
                if letter.reason == Reason::NotAGateway.code() {
                    return Err(Error::NoSender);
                }
                if letter.may_be_cut() {
                    return Err(Error::Cut);
                }
                letter.payload_bytes().ok_or(Error::Unreadable)?;
                let (received_at, payload, reason) = (letter.received_at, letter.payload, letter.reason);
                Ok(vec![SettledLetterEvent::DeadLetterRedriven { device, received_at, payload, reason }])
            }
            SettledLetterCommand::DiscardDeadLetter { comment } => {
                let length = comment.as_ref().map(|text| text.chars().count());
                if length.is_some_and(|length| length == 0 || length > MAX_COMMENT) {
                    return Err(Error::InvalidComment);
                }
                Ok(vec![SettledLetterEvent::DeadLetterDiscarded { comment }])
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        self.settled = Some(match event {
            SettledLetterEvent::DeadLetterRedriven { .. } => Settled::Redriven,
            SettledLetterEvent::DeadLetterDiscarded { .. } => Settled::Discarded,
        });
    }
}

aggregate!(SettledLetter, "dead_letter");
