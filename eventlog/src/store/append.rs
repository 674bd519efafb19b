//! Appending: one write conditional on the subject's last sequence, retried until its outcome is known.

use std::collections::HashMap;
use std::sync::Arc;

use cqrs_es::Aggregate;
use tokio::time::{Instant, sleep};

use super::encode::NewMessage;
use super::error::{Cause, Error};
use super::head::{COMMAND_ID, Head, envelopes};
use super::key::AggregateKey;
use super::load::appended;
use super::loaded::{Appended, Loaded};
use super::{AggregateStore, Inner};
use crate::message::Message;
use crate::send::{SendError, short_backoff};

impl<A: Aggregate + Clone> AggregateStore<A> {
    /// Stores the events of one command as one message directly after the loaded version, or stores nothing.
    /// `loaded.state` may already have the events applied; it is ignored. If the command id is among the aggregate's
    /// recent ones, or another process has stored it since, nothing is stored and the original result is returned. An
    /// empty list of events stores nothing.
    pub async fn append(
        &self,
        loaded: Loaded<A>,
        events: Vec<A::Event>,
        metadata: HashMap<String, String>,
    ) -> Result<Appended, Error> {
        let Loaded { key, head, .. } = loaded;
        if let Some(stored) = metadata.get(COMMAND_ID).and_then(|command| head.recent.find(command)) {
            return self.inner.stored_at(&key, stored.position).await;
        }
        if events.is_empty() {
            return Ok(Appended {
                position: head.position,
                version: head.version,
                events: Vec::new(),
                repeated: false,
            });
        }
        // Taken before the write: the feed may observe newer messages of this aggregate meanwhile.
        let ticket = self.inner.cache.ticket();
        let message = NewMessage::following(&head, &events, metadata)?;
        match self.inner.store(&key, &head, &message).await? {
            Stored::Now(position) => {
                let mut after = Arc::unwrap_or_clone(head);
                after.stored(events, &message.envelopes, (position, message.digest()), &self.inner.folding);
                self.inner.snapshots.write_if_due(&key, &mut after);
                let version = after.version;
                self.inner.cache.put(ticket, key.subject(), Arc::new(after));
                Ok(Appended { position, version, events: message.envelopes, repeated: false })
            }
            Stored::Before(earlier) => appended(&earlier, true),
        }
    }
}

/// Where a command's message is stored.
enum Stored {
    /// This message is stored at this stream sequence.
    Now(u64),
    /// The command had already been stored by this other message.
    Before(Box<Message>),
}

/// The outcome of one attempt.
enum Attempt {
    Stored(Stored),
    Refused(Error),
    /// Not known yet; retry.
    Again(Cause),
}

impl<A: Aggregate + Clone> Inner<A> {
    async fn store(&self, key: &AggregateKey, head: &Head<A>, message: &NewMessage) -> Result<Stored, Error> {
        let started = Instant::now();
        let deadline = started + self.settings.append_deadline;
        let mut doubtful = false;
        let mut pauses = short_backoff();
        loop {
            let source = match self.attempt(key, head, message, &mut doubtful).await {
                Attempt::Stored(stored) => return Ok(stored),
                Attempt::Refused(error) => return Err(error),
                Attempt::Again(source) => source,
            };
            let pause = pauses.next().unwrap_or_default();
            if Instant::now() + pause >= deadline {
                let (subject, waited) = (key.subject().to_owned(), started.elapsed());
                return Err(match doubtful {
                    true => Error::OutcomeUnknown { subject, waited, source },
                    false => Error::Unavailable { operation: "store events", subject, source },
                });
            }
            sleep(pause).await;
            self.journal.reachable_by(deadline).await;
        }
    }

    /// Sends the message once. After an attempt whose reply was lost, a refusal may be caused by that attempt's
    /// success; only the log can tell, so it is read from the expected sequence on.
    async fn attempt(&self, key: &AggregateKey, head: &Head<A>, message: &NewMessage, doubtful: &mut bool) -> Attempt {
        let error =
            match self.journal.append(key, head.position, message.payload.clone(), self.settings.publish_timeout).await
            {
                Ok(position) => return Attempt::Stored(Stored::Now(position)),
                Err(error) => error,
            };
        let conflict = matches!(error, SendError::WrongLast | SendError::InFlight);
        let settled = conflict || !error.is_transient();
        // If an earlier attempt may itself be the append in flight, there is nothing to read yet.
        let in_flight_is_ours = *doubtful && matches!(error, SendError::InFlight);
        let must_look = conflict || *doubtful;
        *doubtful |= !settled && error.is_doubtful();
        if !settled || in_flight_is_ours {
            return Attempt::Again(error.into());
        }
        if must_look {
            match self.look_for(key, head, message).await {
                Ok(Some(stored)) => return Attempt::Stored(stored),
                Ok(None) => {}
                Err(error) if *doubtful => return Attempt::Again(error.into()),
                Err(error) => return Attempt::Refused(error),
            }
        }
        Attempt::Refused(refusal(key, head.position, message, error))
    }

    /// Searches the messages after the head for this message or another message of the same command. The messages read
    /// on the way are what the next load needs, so they go to the cache.
    async fn look_for(
        &self,
        key: &AggregateKey,
        head: &Head<A>,
        message: &NewMessage,
    ) -> Result<Option<Stored>, Error> {
        let ticket = self.cache.ticket();
        let mut newest = head.clone();
        while let Some(later) = self.next_by_leader(key, newest.position + 1).await? {
            newest.fold(&later, &self.folding)?;
            let stored = envelopes(&later)?;
            if message.is(&stored) {
                return Ok(Some(Stored::Now(later.sequence)));
            }
            if message.is_same_command(&stored) {
                return Ok(Some(Stored::Before(Box::new(later))));
            }
        }
        self.cache.put(ticket, key.subject(), Arc::new(newest));
        Ok(None)
    }
}

fn refusal(key: &AggregateKey, expected: u64, message: &NewMessage, error: SendError) -> Error {
    let subject = key.subject().to_owned();
    match error {
        SendError::WrongLast | SendError::InFlight => Error::Conflict { subject, expected },
        SendError::Full(description) => Error::Full { stream: key.stream(), description },
        SendError::TooLarge => {
            Error::TooLarge { bytes: message.payload.len(), limit: super::encode::MAX_MESSAGE_BYTES }
        }
        SendError::Refused { code, description, .. } => Error::Refused { subject, code, description },
        source @ (SendError::Disconnected | SendError::NoStream | SendError::Unanswered(_)) => {
            Error::Unavailable { operation: "store events", subject, source: source.into() }
        }
    }
}
