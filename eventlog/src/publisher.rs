//! Publishes with an acknowledgement per message: limited in flight, retried until a deadline. Delivery is at least
//! once: a message whose acknowledgement was lost may be stored twice. Readers for which that matters drop messages at
//! or below their high-water mark, and the sole writer of a subject uses [`crate::writer`], which is exactly once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::connection::Log;
use crate::message::Headers;
use crate::metric_names;
use crate::publish_error::PublishError;
use crate::send::{backoff, send_once};
use crate::streams::Stream;

/// Limits of a [`Publisher`].
#[derive(Clone, Debug)]
pub struct PublisherSettings {
    /// Maximum number of unacknowledged messages; further callers wait.
    pub in_flight: usize,
    /// How long one attempt waits for its acknowledgement.
    pub timeout: Duration,
    /// How long attempts are retried.
    pub deadline: Duration,
}

impl Default for PublisherSettings {
    fn default() -> Self {
        Self { in_flight: 256, timeout: Duration::from_secs(2), deadline: Duration::from_secs(30) }
    }
}

/// Publishes messages and waits until they are stored. Clones share the in-flight limit.
#[derive(Clone)]
pub struct Publisher {
    log: Log,
    settings: PublisherSettings,
    permits: Arc<Semaphore>,
}

impl Publisher {
    /// Returns a publisher on a connection.
    pub fn new(log: &Log, settings: PublisherSettings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.in_flight.max(1)));
        Self { log: log.clone(), settings, permits }
    }

    /// Publishes one message to `<subject root>.<subject tail>` and returns its stream sequence once it is stored.
    /// Messages of concurrent calls are stored in any order.
    pub async fn publish(
        &self,
        stream: Stream,
        subject_tail: &str,
        headers: Headers,
        payload: Bytes,
    ) -> Result<u64, PublishError> {
        // The semaphore is never closed, so acquiring cannot fail; without a permit the call would merely be unlimited.
        let _permit = self.permits.acquire().await.ok();
        let subject = self.log.subject(stream, subject_tail);
        let started = Instant::now();
        let deadline = started + self.settings.deadline;
        let mut pauses = backoff();
        let mut doubtful = false;
        loop {
            let sent =
                send_once(&self.log, &subject, headers.clone().into_map(), payload.clone(), self.settings.timeout)
                    .await;
            let error = match sent {
                Ok(ack) => {
                    metrics::histogram!(metric_names::PUBLISH_SECONDS, "stream" => stream.name())
                        .record(started.elapsed().as_secs_f64());
                    return Ok(ack.sequence);
                }
                Err(error) => error,
            };
            let pause = pauses.next().unwrap_or(Duration::from_secs(1));
            doubtful |= error.is_doubtful();
            if !error.is_transient() || Instant::now() + pause >= deadline {
                return Err(PublishError::new(stream, &subject, payload.len(), doubtful, error));
            }
            metrics::counter!(metric_names::PUBLISH_RETRIES, "stream" => stream.name()).increment(1);
            sleep(pause).await;
            self.log.connected_by(deadline).await;
        }
    }
}
