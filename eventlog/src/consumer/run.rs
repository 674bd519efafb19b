//! Runs a consumer: hands each batch to `handle`, repeats it on a retry, dead-letters rejected messages, and stops
//! cleanly on shutdown.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::batcher::{Batcher, open_readers};
use super::{Batch, ConsumeSettings, Consumer, Error, Outcome, Rejection, Source, dead_letter};
use crate::connection::Log;
use crate::error_chain::error_chain;
use crate::metric_names;
use crate::position::Positions;
use crate::publisher::{Publisher, PublisherSettings};
use crate::send::backoff;

/// Runs a consumer until `shutdown` is cancelled; the batch being handled is finished first. Errors when the consumer
/// stops, or when its checkpoint does not match the streams.
pub async fn run(
    log: &Log,
    consumer: impl Consumer,
    settings: ConsumeSettings,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    drive(log, consumer, settings, None, shutdown).await
}

/// Runs a consumer until it reaches every target position or `shutdown` is cancelled. Targets of streams that it does
/// not read are ignored.
pub async fn run_until(
    log: &Log,
    consumer: impl Consumer,
    settings: ConsumeSettings,
    targets: Positions,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    drive(log, consumer, settings.eager(), Some(targets), shutdown).await
}

async fn drive(
    log: &Log,
    mut consumer: impl Consumer,
    settings: ConsumeSettings,
    targets: Option<Positions>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let name = consumer.name().to_owned();
    let positions = consumer.resume().await.map_err(|source| Error::Resume { consumer: name.clone(), source })?;
    let sources = consumer.sources();
    let reads = |stream| sources.iter().any(|source: &Source| source.stream == stream);
    let targets =
        targets.map(|targets| Positions(targets.0.into_iter().filter(|(stream, _)| reads(*stream)).collect()));
    let arrived = |positions: &Positions| targets.as_ref().is_some_and(|targets| positions.reached(targets));
    if arrived(&positions) {
        return Ok(());
    }
    let stop = shutdown.child_token();
    // Stops the readers on every return, not only on shutdown.
    let _stop_readers = stop.clone().drop_guard();
    let (receiver, _) = open_readers(log, &name, sources, &positions, &settings, stop)?;
    let mut batcher = Batcher::new(&name, receiver, positions, settings);
    let mut runner = Runner { consumer, name, publisher: Publisher::new(log, PublisherSettings::default()), shutdown };
    loop {
        let shutdown = runner.shutdown.clone();
        let Some(next) = shutdown.run_until_cancelled(batcher.next()).await else { return Ok(()) };
        let batch = match next {
            // The readers stop with the same token and may notice it before this loop does.
            Err(Error::ReadersEnded) if shutdown.is_cancelled() => return Ok(()),
            next => next?,
        };
        if runner.deliver(batch).await?.is_none() || arrived(batcher.positions()) {
            return Ok(());
        }
    }
}

/// Proof that a batch was handled.
struct Handled;

struct Runner<C> {
    consumer: C,
    name: String,
    publisher: Publisher,
    shutdown: CancellationToken,
}

impl<C: Consumer> Runner<C> {
    /// Handles a batch, with retries; returns `None` when shutdown was requested between two attempts.
    async fn deliver(&mut self, mut batch: Batch) -> Result<Option<Handled>, Error> {
        let started = Instant::now();
        let count = batch.messages.len() as u64;
        let mut pauses = backoff();
        loop {
            match self.consumer.handle(&batch).await {
                Outcome::Done => break,
                Outcome::Stop(reason) => return Err(Error::Stopped { consumer: self.name.clone(), reason }),
                Outcome::Reject(rejections) => {
                    if self.reject(&mut batch, rejections).await?.is_none() {
                        return Ok(None);
                    }
                }
                Outcome::Retry(cause) => {
                    warn!(consumer = self.name, error = error_chain(cause.as_ref()), "retrying a batch");
                    metrics::counter!(metric_names::CONSUMER_RETRIES, "consumer" => self.name.clone()).increment(1);
                    if self.rest(pauses.next()).await.is_none() {
                        return Ok(None);
                    }
                }
            }
        }
        metrics::counter!(metric_names::CONSUMED_MESSAGES, "consumer" => self.name.clone()).increment(count);
        metrics::histogram!(metric_names::BATCH_SECONDS, "consumer" => self.name.clone())
            .record(started.elapsed().as_secs_f64());
        debug!(consumer = self.name, messages = count, "handled a batch");
        Ok(Some(Handled))
    }

    /// Dead-letters the rejected messages and removes them from the batch; returns `None` when shutdown was requested
    /// first.
    async fn reject(&mut self, batch: &mut Batch, rejections: Vec<Rejection>) -> Result<Option<Handled>, Error> {
        let mut dead_lettered = 0_u64;
        for rejection in rejections {
            let place =
                |message: &crate::Message| message.stream == rejection.stream && message.sequence == rejection.sequence;
            let Some(index) = batch.messages.iter().position(place) else { continue };
            let message = batch.messages.remove(index);
            warn!(consumer = self.name, stream = %rejection.stream, sequence = rejection.sequence,
                reason = rejection.reason, "moving a message to the dead letters");
            let mut pauses = backoff();
            while let Err(error) = dead_letter::publish(&self.publisher, &self.name, &message, &rejection).await {
                warn!(consumer = self.name, error = error_chain(&error), "cannot store a dead letter; retrying");
                if self.rest(pauses.next()).await.is_none() {
                    return Ok(None);
                }
            }
            dead_lettered += 1;
        }
        metrics::counter!(metric_names::CONSUMER_REJECTED, "consumer" => self.name.clone()).increment(dead_lettered);
        if dead_lettered == 0 {
            return Err(Error::ForeignRejection { consumer: self.name.clone() });
        }
        Ok(Some(Handled))
    }

    async fn rest(&self, pause: Option<Duration>) -> Option<()> {
        self.shutdown.run_until_cancelled(sleep(pause.unwrap_or(Duration::from_secs(1)))).await
    }
}
