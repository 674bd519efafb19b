//! The journal stores aggregates' messages: the seam between the event store and its storage. JetStream's journal is
//! here; others live in crates of their own, such as `pgstore`.

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

/// Stores the messages of aggregates in the order of each stream. A message's position is its sequence in the JetStream
/// stream of its aggregate type, whether it is already there or still to be relayed.
pub trait Journal: Send + Sync {
    /// Returns an aggregate's messages from a position on, in order; the newest ones may be missing.
    fn read<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Vec<Message>, Cause>>;

    /// Returns an aggregate's first message at or after a position. The answer is current: `None` means that there is
    /// none.
    fn next<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Option<Message>, Cause>>;

    /// Stores a message as the aggregate's next one if its last message is at `expected` (0: no message), and returns
    /// its position. The write is atomic; an error says whether the message is not stored or its outcome is unknown.
    fn append<'a>(
        &'a self,
        key: &'a AggregateKey,
        expected: u64,
        payload: Bytes,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<u64, SendError>>;

    /// Waits until a retry may succeed, at most until `deadline`.
    fn reachable_by(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// The journal in JetStream itself.
pub(super) struct JetStream(Log);

impl JetStream {
    pub(super) fn on(log: Log) -> Arc<dyn Journal> {
        Arc::new(Self(log))
    }
}

impl Journal for JetStream {
    /// Reads from any replica.
    fn read<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Vec<Message>, Cause>> {
        Box::pin(async move { Ok(self.0.read_subject(key.stream(), key.tail(), from).await?) })
    }

    /// Reads from the stream's leader.
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
