//! Merges the deliveries of all of a consumer's readers into batches, in order of arrival, and tracks the positions.
//! Handling a batch is `run`'s task.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::reader::{Content, Delivery, Reader, Shared};
use super::{Batch, ConsumeSettings, Error, Source};
use crate::connection::Log;
use crate::metric_names;
use crate::position::{Position, Positions, fingerprint};
use crate::streams::Stream;

/// How many deliveries may be queued between readers and batches; `budget` limits their bytes separately.
const QUEUED_DELIVERIES: usize = 1024;

/// Starts one reader per source. Readers stop when `stop` is cancelled or the returned receiver is dropped. Notifying
/// the returned [`Notify`] makes idle readers check their progress immediately.
pub(crate) fn open_readers(
    log: &Log,
    name: &str,
    sources: Vec<Source>,
    from: &Positions,
    settings: &ConsumeSettings,
    stop: CancellationToken,
) -> Result<(mpsc::Receiver<Delivery>, Arc<Notify>), Error> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = sources.iter().find(|source| !seen.insert(source.stream)) {
        return Err(Error::DuplicateSource(twice.stream));
    }
    let (deliveries, receiver) = mpsc::channel(QUEUED_DELIVERIES);
    // At least 2 MiB, so that messages of the maximum size (1 MiB) pass even with a small batch limit.
    let budget_kib = u32::try_from(settings.max_bytes.div_ceil(1024).max(2048)).unwrap_or(u32::MAX >> 4);
    let check_now = Arc::new(Notify::new());
    let shared = Shared {
        log: log.clone(),
        name: name.to_owned(),
        deliveries,
        budget: Arc::new(Semaphore::new(budget_kib as usize)),
        budget_kib,
        idle_advance: settings.idle_advance,
        check_now: check_now.clone(),
        stop,
    };
    for source in sources {
        let from = from.get(source.stream).cloned();
        tokio::spawn(Reader::new(shared.clone(), source, from).read());
    }
    Ok((receiver, check_now))
}

pub(crate) struct Batcher {
    name: String,
    receiver: mpsc::Receiver<Delivery>,
    positions: Positions,
    settings: ConsumeSettings,
    /// The delivery that did not fit into the previous batch.
    carried_over: Option<Delivery>,
}

/// A batch under construction.
#[derive(Default)]
struct PartialBatch {
    batch: Batch,
    bytes: usize,
    moved: bool,
    last: std::collections::BTreeMap<Stream, Position>,
    lag: std::collections::BTreeMap<Stream, u64>,
}

impl Batcher {
    pub(crate) fn new(
        name: &str,
        receiver: mpsc::Receiver<Delivery>,
        positions: Positions,
        settings: ConsumeSettings,
    ) -> Self {
        Self { name: name.to_owned(), receiver, positions, settings, carried_over: None }
    }

    pub(crate) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// Waits for the next batch. Cancelling the wait loses only messages that were read but not handled; the checkpoint
    /// still precedes them.
    pub(crate) async fn next(&mut self) -> Result<Batch, Error> {
        let mut partial = PartialBatch::default();
        let mut due: Option<Instant> = None;
        while partial.batch.messages.len() < self.settings.max_messages {
            let Some(delivery) = self.receive(due).await? else { break };
            // An oversized message forms a batch of its own; otherwise it could never be delivered.
            if partial.bytes > 0 && partial.bytes + size(&delivery) > self.settings.max_bytes {
                self.carried_over = Some(delivery);
                break;
            }
            self.add(&mut partial, delivery)?;
            if partial.moved && due.is_none() {
                due = Some(Instant::now() + self.settings.linger);
            }
        }
        Ok(self.finish(partial))
    }

    /// Waits for a delivery until `due`, or without limit; returns `None` on timeout.
    async fn receive(&mut self, due: Option<Instant>) -> Result<Option<Delivery>, Error> {
        if let Some(delivery) = self.carried_over.take() {
            return Ok(Some(delivery));
        }
        // Take what is already queued without arming a timer.
        let received = match (self.receiver.try_recv(), due) {
            (Ok(delivery), _) => Some(delivery),
            (Err(_), None) => self.receiver.recv().await,
            (Err(_), Some(due)) => match timeout_at(due, self.receiver.recv()).await {
                Ok(received) => received,
                Err(_) => return Ok(None),
            },
        };
        received.map(Some).ok_or(Error::ReadersEnded)
    }

    fn add(&self, partial: &mut PartialBatch, delivery: Delivery) -> Result<(), Error> {
        let stream = delivery.stream;
        let previous = partial.last.get(&stream).or(self.positions.get(stream)).cloned();
        let reached = previous.as_ref().map_or(0, |position| position.sequence);
        let incarnation = Some(delivery.incarnation);
        match delivery.content {
            Content::Failed(error) => return Err(error),
            Content::Progress(sequence) => {
                let known = previous.is_some_and(|position| position.incarnation.is_some());
                if sequence > reached || !known {
                    partial.last.insert(stream, Position { sequence, incarnation, hash: None });
                    partial.moved |= sequence > reached;
                }
                partial.lag.insert(stream, 0);
            }
            Content::Message(message, pending) => {
                let sequence = message.sequence;
                if sequence <= reached {
                    return Err(Error::OutOfOrder { stream, sequence, previous: reached });
                }
                partial.last.insert(stream, Position { sequence, incarnation, hash: None });
                partial.lag.insert(stream, pending);
                partial.bytes += message.size();
                partial.batch.messages.push(message);
                partial.moved = true;
            }
        }
        Ok(())
    }

    fn finish(&mut self, mut partial: PartialBatch) -> Batch {
        for (stream, mut position) in partial.last {
            let last = partial.batch.messages.iter().rev().find(|message| message.stream == stream);
            position.hash = match last {
                Some(message) if message.sequence == position.sequence => Some(fingerprint(&message.payload)),
                _ => None,
            };
            self.positions.set(stream, position);
        }
        for (stream, pending) in partial.lag {
            metrics::gauge!(metric_names::CONSUMER_LAG, "consumer" => self.name.clone(), "stream" => stream.name())
                .set(pending as f64);
        }
        partial.batch.positions = self.positions.clone();
        partial.batch
    }
}

fn size(delivery: &Delivery) -> usize {
    match &delivery.content {
        Content::Message(message, _) => message.size(),
        _ => 0,
    }
}

impl ConsumeSettings {
    /// Returns these settings for a consumer whose progress a caller waits for: filtered sources report their progress
    /// within 100 ms.
    #[must_use]
    pub fn eager(self) -> Self {
        Self { idle_advance: self.idle_advance.min(Duration::from_millis(100)), ..self }
    }
}
