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
    /// Loads an aggregate, from the cache where it is there. A command that this state would refuse, or that would do
    /// nothing, is decided again on [`Self::load_fresh`].
    pub async fn load(&self, organization: &str, id: &str) -> Result<Loaded<A>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        let head = self.inner.head(&key).await?;
        Ok(Loaded::new(key, head))
    }

    /// Loads an aggregate without the cache and asks the stream's leader for anything newer.
    pub async fn load_fresh(&self, organization: &str, id: &str) -> Result<Loaded<A>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        let ticket = self.inner.cache.ticket();
        let head = self.inner.replay(&key).await?;
        let head = Arc::new(self.inner.catch_up(&key, head).await?);
        self.inner.cache.put(ticket, key.subject(), head.clone());
        Ok(Loaded::new(key, head))
    }

    /// Finds what a command stored, however long ago. `None` is certain: the stream's leader was asked.
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

    /// Reads all messages of an aggregate exactly as they are stored, for [`super::verify_chain`] and for auditors.
    pub async fn messages(&self, organization: &str, id: &str) -> Result<Vec<Message>, Error> {
        let key = AggregateKey::new(organization, A::TYPE, id)?;
        self.inner.read(&key, 1).await
    }

    /// Reads all events of an aggregate, as today's types; asserts that their versions are contiguous.
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
    /// Reads an aggregate's messages from a sequence on, from whichever replica answers.
    async fn read(&self, key: &AggregateKey, from: u64) -> Result<Vec<Message>, Error> {
        let read = self.journal.read(key, from).await;
        read.map_err(|source| unavailable("read events", key, source))
    }

    /// Reads an aggregate's next message at or after a sequence, as the stream's leader has it.
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

    /// Folds snapshot and tail, or everything; from whichever replica answers, so that it may lack the newest messages.
    async fn replay(&self, key: &AggregateKey) -> Result<Head<A>, Error> {
        if let Some(snapshot) = self.snapshots.read::<A>(key).await {
            let messages = self.read(key, snapshot.position).await?;
            if messages.first().is_some_and(|message| snapshot.ends_with(message)) {
                return self.fold(snapshot, &messages[1..]);
            }
            tracing::debug!(subject = key.subject(), "the snapshot does not fit the log and is ignored");
        }
        self.fold(Head::default(), &self.read(key, 1).await?)
    }

    fn fold(&self, mut head: Head<A>, messages: &[Message]) -> Result<Head<A>, Error> {
        messages.iter().try_for_each(|message| head.fold(message, &self.folding))?;
        Ok(head)
    }

    /// Folds whatever the stream's leader has after the head.
    pub(super) async fn catch_up(&self, key: &AggregateKey, mut head: Head<A>) -> Result<Head<A>, Error> {
        while let Some(message) = self.next_by_leader(key, head.position + 1).await? {
            head.fold(&message, &self.folding)?;
        }
        Ok(head)
    }

    /// Returns what the command stored whose message is at `position`.
    pub(super) async fn stored_at(&self, key: &AggregateKey, position: u64) -> Result<Appended, Error> {
        let found = self.next_by_leader(key, position).await?;
        match found.filter(|message| message.sequence == position) {
            Some(message) => appended(&message, true),
            None => Err(Error::Decode {
                subject: key.subject().to_owned(),
                position,
                source: "the message is no longer there".into(),
            }),
        }
    }

    /// Looks through all messages up to `until`; what the replica that answers may lack is read from the leader.
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

/// Describes the command that stored a message.
pub(super) fn appended(message: &Message, repeated: bool) -> Result<Appended, Error> {
    let events = envelopes(message)?;
    let version = events.last().map_or(0, |envelope| envelope.sequence);
    Ok(Appended { position: message.sequence, version, events, repeated })
}

fn unavailable(operation: &'static str, key: &AggregateKey, source: Cause) -> Error {
    Error::Unavailable { operation, subject: key.subject().to_owned(), source }
}
