//! Encodes the events of one command as one message: a JSON array of envelopes, chained to the aggregate's previous
//! message.

use std::collections::HashMap;

use bytes::Bytes;
use cqrs_es::{Aggregate, DomainEvent};
use uuid::Uuid;

use super::digest::Digest;
use super::error::Error;
use super::head::{COMMAND_ID, Head, PREVIOUS_HASH};
use crate::envelope::{self, Envelope};

/// Maximum payload of one message, in bytes: half the server's limit, leaving room for headers and replication.
pub(super) const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// A message ready to be stored as the next one of its aggregate.
pub(super) struct NewMessage {
    pub(super) envelopes: Vec<Envelope>,
    pub(super) payload: Bytes,
}

impl NewMessage {
    /// Encodes events as the successors of `head`.
    pub(super) fn following<A: Aggregate>(
        head: &Head<A>,
        events: &[A::Event],
        mut metadata: HashMap<String, String>,
    ) -> Result<Self, Error> {
        metadata.insert(PREVIOUS_HASH.to_owned(), head.last_hash.to_string());
        let envelopes = (head.version + 1..)
            .zip(events)
            .map(|(version, event)| {
                Envelope::of(event, new_event_id(), version, metadata.clone())
                    .map_err(|source| Error::Encode { event_type: event.event_type(), source: source.into() })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let payload = envelope::encode(&envelopes)
            .map_err(|source| Error::Encode { event_type: A::TYPE.to_owned(), source: source.into() })?;
        if payload.len() > MAX_MESSAGE_BYTES {
            return Err(Error::TooLarge { bytes: payload.len(), limit: MAX_MESSAGE_BYTES });
        }
        Ok(Self { envelopes, payload })
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// Returns whether stored envelopes are those of this very message.
    pub(super) fn is(&self, stored: &[Envelope]) -> bool {
        let id = |envelopes: &[Envelope]| envelopes.first().map(|envelope| envelope.event_id);
        id(&self.envelopes) == id(stored)
    }

    /// Returns whether stored envelopes belong to the same command.
    pub(super) fn is_same_command(&self, stored: &[Envelope]) -> bool {
        let command = command_id(&self.envelopes);
        command.is_some() && command == command_id(stored)
    }
}

/// Returns the id of the command that stored these envelopes.
pub(super) fn command_id(envelopes: &[Envelope]) -> Option<&str> {
    envelopes.first()?.metadata.get(COMMAND_ID).map(String::as_str)
}

#[allow(clippy::disallowed_methods, reason = "event ids are created here, at the edge; no state depends on them")]
fn new_event_id() -> Uuid {
    Uuid::now_v7()
}
