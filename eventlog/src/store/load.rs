//! Loading: from the cache, else from the newest snapshot and the messages after it, else from all messages.

use std::sync::Arc;

use cqrs_es::{Aggregate, EventEnvelope};

use super::encode::command_id;
use super::error::{Cause, Error};
use super::head::{Head, envelopes, undecodable};
use super::key::AggregateKey;
use super::loaded::{Appended, Loaded};
use super::{AggregateStore, Inner};
use crate::message::Message;

impl<A: Aggregate + Clone> AggregateStore<A> {
    /// Loads an aggregate, from the cache if present. The state may be stale: decide again with [`Self::load_fresh`]
    /// before refusing a command or treating it as having no effect.
    pub async fn load(&self, organization: &str, id: &str) -> Result<Loaded<A>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        let head = self.inner.head(&key).await?;
        Ok(Loaded::new(key, head))
    }

    /// Loads an aggregate without the cache and reads newer messages from the stream's leader.
    pub async fn load_fresh(&self, organization: &str, id: &str) -> Result<Loaded<A>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        let ticket = self.inner.cache.ticket();
        let head = self.inner.replay(&key).await?;
        let head = Arc::new(self.inner.catch_up(&key, head).await?);
        self.inner.cache.put(ticket, key.subject(), head.clone());
        Ok(Loaded::new(key, head))
    }

    /// Returns what a command stored, however long ago. The answer is current: `None` means that it stored nothing.
    pub async fn find_command(&self, organization: &str, id: &str, command: &str) -> Result<Option<Appended>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        let mut head = self.inner.head(&key).await?;
        if head.recent.find(command).is_none() {
            let ticket = self.inner.cache.ticket();
            head = Arc::new(self.inner.catch_up(&key, Head::clone(&head)).await?);
            self.inner.cache.put(ticket, key.subject(), head.clone());
        }
        if let Some(stored) = head.recent.find(command) {
            return self.inner.stored_at(&key, stored.position).await.map(Some);
        }
        if head.recent.is_complete() {
            return Ok(None);
        }
        self.inner.scan_for(&key, command, head.position).await
    }

    /// Reads all messages of an aggregate exactly as stored, for [`super::verify_chain`] and for auditors.
    pub async fn messages(&self, organization: &str, id: &str) -> Result<Vec<Message>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        self.inner.read(&key, 1).await
    }

    /// Reads all events of an aggregate, upcast to the current types; errors when their versions are not contiguous.
    pub async fn events(&self, organization: &str, id: &str) -> Result<Vec<EventEnvelope<A>>, Error> {
        let path = AggregateKey::new(organization, A::TYPE, id)?.path();
        let messages = self.messages(organization, id).await?;
        let (mut head, mut events) = (Head::<A>::default(), Vec::new());
        for message in &messages {
            head.fold(message, &self.inner.folding)?;
            for envelope in envelopes(message)? {
                events.push(EventEnvelope {
                    aggregate_id: path.clone(),
                    sequence: envelope.sequence as usize,
                    payload: envelope
                        .event(&self.inner.folding.upcasters)
                        .map_err(|source| undecodable(message, source.into()))?,
                    metadata: envelope.metadata,
                });
            }
        }
        Ok(events)
    }
}

impl<A> Inner<A> {
    /// Reads an aggregate's messages from a sequence on, from any replica.
    async fn read(&self, key: &AggregateKey, from: u64) -> Result<Vec<Message>, Error> {
        let read = self.journal.read(key, from).await;
        read.map_err(|source| unavailable("read events", key, source))
    }

    /// Reads an aggregate's first message at or after a sequence from the stream's leader.
    pub(super) async fn next_by_leader(&self, key: &AggregateKey, from: u64) -> Result<Option<Message>, Error> {
        let read = self.journal.next(key, from).await;
        read.map_err(|source| unavailable("read the newest events", key, source))
    }
}

impl<A: Aggregate + Clone> Inner<A> {
    async fn head(&self, key: &AggregateKey) -> Result<Arc<Head<A>>, Error> {
        if let Some(head) = self.cache.get(key.subject()) {
            return Ok(head);
        }
        let ticket = self.cache.ticket();
        let head = Arc::new(self.replay(key).await?);
        self.cache.put(ticket, key.subject(), head.clone());
        Ok(head)
    }

    /// Folds the snapshot and the messages after it, or all messages; read from any replica, so the newest messages may
    /// be missing.
    async fn replay(&self, key: &AggregateKey) -> Result<Head<A>, Error> {
        if let Some(snapshot) = self.snapshots.read::<A>(key).await {
            let messages = self.read(key, snapshot.position).await?;
            if messages.first().is_some_and(|message| snapshot.ends_with(message)) {
                return self.fold(snapshot, &messages[1..]);
            }
            tracing::debug!(subject = key.subject(), "ignoring a snapshot that does not match the log");
        }
        self.fold(Head::default(), &self.read(key, 1).await?)
    }

    fn fold(&self, mut head: Head<A>, messages: &[Message]) -> Result<Head<A>, Error> {
        messages.iter().try_for_each(|message| head.fold(message, &self.folding))?;
        Ok(head)
    }

    /// Folds the messages that the stream's leader has after the head.
    pub(super) async fn catch_up(&self, key: &AggregateKey, mut head: Head<A>) -> Result<Head<A>, Error> {
        while let Some(message) = self.next_by_leader(key, head.position + 1).await? {
            head.fold(&message, &self.folding)?;
        }
        Ok(head)
    }

    /// Returns the result of the command whose message is at `position`.
    pub(super) async fn stored_at(&self, key: &AggregateKey, position: u64) -> Result<Appended, Error> {
        let found = self.next_by_leader(key, position).await?;
        match found.filter(|message| message.sequence == position) {
            Some(message) => appended(&message, true),
            None => Err(Error::Decode {
                subject: key.subject().to_owned(),
                position,
                source: "the message no longer exists".into(),
            }),
        }
    }

    /// Searches all messages up to `until` for a command; messages that the replica may lack are read from the leader.
    async fn scan_for(&self, key: &AggregateKey, command: &str, until: u64) -> Result<Option<Appended>, Error> {
        let mut at = 0;
        for message in &self.read(key, 1).await? {
            at = message.sequence;
            if command_id(&envelopes(message)?) == Some(command) {
                return appended(message, true).map(Some);
            }
        }
        while at < until {
            let Some(message) = self.next_by_leader(key, at + 1).await? else { break };
            at = message.sequence;
            if command_id(&envelopes(&message)?) == Some(command) {
                return appended(&message, true).map(Some);
            }
        }
        Ok(None)
    }
}

/// Returns the result of the command that stored a message.
pub(super) fn appended(message: &Message, repeated: bool) -> Result<Appended, Error> {
    let events = envelopes(message)?;
    let version = events.last().map_or(0, |envelope| envelope.sequence);
    Ok(Appended { position: message.sequence, version, events, repeated })
}

fn unavailable(operation: &'static str, key: &AggregateKey, source: Cause) -> Error {
    Error::Unavailable { operation, subject: key.subject().to_owned(), source }
}
