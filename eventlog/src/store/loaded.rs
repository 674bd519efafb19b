//! An aggregate as it was loaded, and what appending to it gave.

use std::sync::Arc;

use cqrs_es::{Aggregate, AggregateContext};

use super::digest::Digest;
use super::head::Head;
use super::key::AggregateKey;
use super::recent_commands::StoredCommand;
use crate::envelope::Envelope;

/// An aggregate's state with all the store needs to append to it. Changing `state` (as a command handler does) changes
/// nothing else: the store keeps the state as it was loaded beside it.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    /// The state, free to be changed by the command handler.
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
    /// The aggregate this is.
    pub fn key(&self) -> &AggregateKey {
        &self.key
    }

    /// Tells whether the aggregate has any event.
    pub fn exists(&self) -> bool {
        self.version > 0
    }

    /// Finds one of the most recent commands by its id.
    pub fn recent_command(&self, command_id: &str) -> Option<&StoredCommand> {
        self.head.recent.find(command_id)
    }
}

impl<A: Aggregate> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.state
    }
}

/// What is stored of one command.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The stream sequence of the command's message; the aggregate's position if the command had no events.
    pub position: u64,
    /// The aggregate's version after the command.
    pub version: u64,
    /// The command's events as they are stored.
    pub events: Vec<Envelope>,
    /// Whether an earlier attempt had stored the command already, so that nothing new is stored.
    pub repeated: bool,
}
