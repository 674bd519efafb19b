//! A loaded aggregate, and the result of appending to it.

use std::sync::Arc;

use cqrs_es::{Aggregate, AggregateContext};

use super::digest::Digest;
use super::head::Head;
use super::key::AggregateKey;
use super::recent_commands::StoredCommand;
use crate::envelope::Envelope;

/// An aggregate's state with everything the store needs to append to it. A command handler may change `state` freely:
/// the store keeps its own copy of the loaded state.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    /// The state; the command handler may change it.
    pub state: A,
    /// The version of the last event; 0 for an aggregate without events.
    pub version: u64,
    /// The stream sequence of the last message; 0 for an aggregate without events.
    pub position: u64,
    /// The digest of the last message as stored; [`Digest::GENESIS`] for an aggregate without events.
    pub last_hash: Digest,
    pub(super) key: AggregateKey,
    pub(super) head: Arc<Head<A>>,
}

impl<A: Clone> Loaded<A> {
    pub(super) fn new(key: AggregateKey, head: Arc<Head<A>>) -> Self {
        Self {
            state: head.state.clone(),
            version: head.version,
            position: head.position,
            last_hash: head.last_hash,
            key,
            head,
        }
    }
}

impl<A> Loaded<A> {
    /// Returns the aggregate's key.
    pub fn key(&self) -> &AggregateKey {
        &self.key
    }

    /// Returns whether the aggregate has any events.
    pub fn exists(&self) -> bool {
        self.version > 0
    }

    /// Returns one of the most recent commands by its id.
    pub fn recent_command(&self, command_id: &str) -> Option<&StoredCommand> {
        self.head.recent.find(command_id)
    }
}

impl<A: Aggregate> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.state
    }
}

/// The stored result of one command.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The stream sequence of the command's message; the aggregate's current position if the command had no events.
    pub position: u64,
    /// The aggregate's version after the command.
    pub version: u64,
    /// The command's events as stored.
    pub events: Vec<Envelope>,
    /// Whether an earlier attempt had already stored the command, so that nothing new was stored.
    pub repeated: bool,
}
