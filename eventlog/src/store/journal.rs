//! Where an aggregate's messages are kept: the seam between the event store and what stores its bytes. JetStream is one
//! journal, and lives here; others live in crates of their own. What a message holds is the event store's business.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::error::Cause;
use super::key::AggregateKey;
use crate::connection::Log;
use crate::message::Message;
use crate::send::{EXPECTED_LAST_SUBJECT_SEQUENCE, SendError, send_once};

/// Keeps the messages of aggregates in the order of each stream. A message's position is its sequence in the JetStream
/// stream of its aggregate type, whether the message is there already or is still to be relayed there.
pub trait Journal: Send + Sync {
    /// Returns an aggregate's messages from a position on, in order; the newest ones may be missing.
    fn read<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Vec<Message>, Cause>>;

    /// Returns an aggregate's first message at or after a position; `None` is certain.
    fn next<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Option<Message>, Cause>>;

    /// Stores a message as the aggregate's next one if its last one is at `expected` (0: it has none), and returns the
    /// position. Stored or not, whole or not at all; the error says which, or that it is not known.
    fn append<'a>(
        &'a self,
        key: &'a AggregateKey,
        expected: u64,
        payload: Bytes,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<u64, SendError>>;

    /// Waits until another attempt has a chance, at most until `deadline`.
    fn reachable_by(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// The journal that JetStream keeps itself.
pub(super) struct JetStream(Log);

impl JetStream {
    pub(super) fn on(log: Log) -> Arc<dyn Journal> {
        Arc::new(Self(log))
    }
}

impl Journal for JetStream {
    /// From whichever replica answers.
    fn read<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Vec<Message>, Cause>> {
        Box::pin(async move { Ok(self.0.read_subject(key.stream(), key.tail(), from).await?) })
    }

    /// As the stream's leader has it.
    fn next<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Option<Message>, Cause>> {
        Box::pin(async move { Ok(self.0.next_message(key.stream(), key.tail(), from).await?) })
    }

    fn append<'a>(
        &'a self,
        key: &'a AggregateKey,
        expected: u64,
        payload: Bytes,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<u64, SendError>> {
        Box::pin(async move {
            let mut headers = HeaderMap::new();
            headers.insert(EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
            let subject = self.0.subject(key.stream(), key.tail());
            Ok(send_once(&self.0, &subject, headers, payload, timeout).await?.sequence)
        })
    }

    fn reachable_by(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.0.connected_by(deadline).await;
        })
    }
}
