//! The head of one aggregate: the fold of its messages into state, version, position, last digest and recent commands,
//! which always change together.

use cqrs_es::Aggregate;

use super::digest::Digest;
use super::error::{Cause, Error};
use super::recent_commands::{RecentCommands, StoredCommand};
use crate::envelope::{self, Envelope};
use crate::message::Message;
use crate::upcasters::Upcasters;

/// The metadata key of the command's id.
pub const COMMAND_ID: &str = "command_id";
/// The metadata key of the digest of the aggregate's previous message.
pub const PREVIOUS_HASH: &str = "previous_hash";

/// Everything known about an aggregate at one position of the log.
#[derive(Clone, Debug, Default)]
pub(super) struct Head<A> {
    pub(super) state: A,
    pub(super) version: u64,
    pub(super) position: u64,
    pub(super) last_hash: Digest,
    pub(super) recent: RecentCommands,
    /// The version of the newest snapshot known to be written.
    pub(super) snapshot_version: u64,
}

/// How messages are folded.
#[derive(Clone)]
pub(super) struct Folding {
    pub(super) upcasters: Upcasters,
    pub(super) recent_commands: usize,
}

impl<A: Aggregate> Head<A> {
    /// Applies the next message; a message at or before the position is already applied and is ignored.
    pub(super) fn fold(&mut self, message: &Message, folding: &Folding) -> Result<(), Error> {
        if message.sequence <= self.position {
            return Ok(());
        }
        let envelopes = envelopes(message)?;
        for envelope in &envelopes {
            self.follows(envelope, message)?;
            let event = envelope.event(&folding.upcasters).map_err(|source| undecodable(message, source.into()))?;
            self.state.apply(event);
            self.version = envelope.sequence;
        }
        self.moved_to(message.sequence, Digest::of(&message.payload), envelopes.first(), folding);
        Ok(())
    }

    /// Applies events that were just stored, without decoding them again.
    pub(super) fn stored(&mut self, events: Vec<A::Event>, stored: &[Envelope], at: (u64, Digest), folding: &Folding) {
        events.into_iter().for_each(|event| self.state.apply(event));
        self.version += stored.len() as u64;
        self.moved_to(at.0, at.1, stored.first(), folding);
    }

    /// Returns whether a stored message is the last one folded, byte for byte.
    pub(super) fn ends_with(&self, message: &Message) -> bool {
        let version = || envelopes(message).ok()?.last().map(|envelope| envelope.sequence);
        message.sequence == self.position
            && Digest::of(&message.payload) == self.last_hash
            && version() == Some(self.version)
    }

    fn follows(&self, envelope: &Envelope, message: &Message) -> Result<(), Error> {
        if envelope.sequence == self.version + 1 {
            return Ok(());
        }
        Err(Error::Gap {
            subject: message.subject.clone(),
            position: message.sequence,
            after: self.version,
            found: envelope.sequence,
        })
    }

    fn moved_to(&mut self, position: u64, hash: Digest, first: Option<&Envelope>, folding: &Folding) {
        self.position = position;
        self.last_hash = hash;
        if let Some(command_id) = first.and_then(|envelope| envelope.metadata.get(COMMAND_ID)) {
            let command = StoredCommand { command_id: command_id.clone(), position, version: self.version };
            self.recent.push(command, folding.recent_commands);
        }
    }
}

/// Decodes the envelopes of one message as stored. The store never writes a message without events, so one is an error.
pub(super) fn envelopes(message: &Message) -> Result<Vec<Envelope>, Error> {
    let envelopes = envelope::decode(&message.payload).map_err(|source| undecodable(message, source.into()))?;
    if envelopes.is_empty() {
        return Err(undecodable(message, "the message has no events".into()));
    }
    Ok(envelopes)
}

pub(super) fn undecodable(message: &Message, source: Cause) -> Error {
    Error::Decode { subject: message.subject.clone(), position: message.sequence, source }
}
