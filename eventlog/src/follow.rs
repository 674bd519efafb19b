//! Followers: fold the log continuously into a process's memory, for state that must be current, such as revocations or
//! rules. Nothing is persisted; a restart folds again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::connection::Log;
use crate::consumer::reader::{Content, Delivery};
use crate::consumer::{self, ConsumeSettings, Source, open_readers};
use crate::error_chain::error_chain;
use crate::inspect;
use crate::message::Message;
use crate::position::Positions;
use crate::streams::Stream;

/// The name of followers' consumers on the server.
const NAME: &str = "follower";
/// How many messages are folded at most before the position is announced.
const AT_ONCE: usize = 256;

/// Why a follower has not reached an expected position.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// It did not reach the position in time.
    #[error("the follower of {stream} is at {position} and did not reach {wanted} in time")]
    Late {
        /// The stream.
        stream: Stream,
        /// Its position.
        position: u64,
        /// The expected position.
        wanted: u64,
    },
    /// The follower failed.
    #[error("the follower has failed")]
    Failed(#[source] Arc<consumer::Error>),
    /// The follower was shut down.
    #[error("the follower was shut down")]
    Shutdown,
    /// The stream's end could not be read.
    #[error("cannot read the end of a followed stream")]
    Inspect(#[source] Arc<inspect::Error>),
}

#[derive(Default)]
struct Progress {
    positions: BTreeMap<Stream, u64>,
    failed: Option<Arc<consumer::Error>>,
    ended: bool,
}

/// A running follower. Clones share it. It ends with its shutdown token, or with an error that [`Follower::reached`]
/// returns.
#[derive(Clone)]
pub struct Follower {
    log: Log,
    streams: Vec<Stream>,
    progress: watch::Receiver<Progress>,
    check_now: Arc<Notify>,
}

/// Follows the sources from the given positions (absent: from the stream's first message) and calls `fold` with every
/// message, in stream order within each stream. Errors surface in [`Follower::reached`] and [`Follower::failure`].
pub async fn follow(
    log: &Log,
    sources: Vec<Source>,
    from: Positions,
    fold: impl FnMut(&Message) + Send + 'static,
    shutdown: CancellationToken,
) -> Follower {
    let streams = sources.iter().map(|source| source.stream).collect();
    let settings = ConsumeSettings { idle_advance: Duration::from_secs(5), ..ConsumeSettings::default() };
    let opened = open_readers(log, NAME, sources, &from, &settings, shutdown.clone());
    let positions = from.iter().map(|(stream, position)| (stream, position.sequence)).collect();
    let (announce, progress) = watch::channel(Progress { positions, ..Progress::default() });
    let check_now = match opened {
        Ok((receiver, check_now)) => {
            tokio::spawn(fold_all(receiver, announce, fold, shutdown));
            check_now
        }
        Err(error) => {
            announce.send_modify(|progress| progress.failed = Some(Arc::new(error)));
            Arc::default()
        }
    };
    Follower { log: log.clone(), streams, progress, check_now }
}

async fn fold_all(
    mut receiver: mpsc::Receiver<Delivery>,
    announce: watch::Sender<Progress>,
    mut fold: impl FnMut(&Message),
    shutdown: CancellationToken,
) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while let Some(1..) = shutdown.run_until_cancelled(receiver.recv_many(&mut some, AT_ONCE)).await {
        let mut moved = Vec::with_capacity(some.len());
        for delivery in some.drain(..) {
            match delivery.content {
                Content::Message(message, _) => {
                    fold(&message);
                    moved.push((delivery.stream, message.sequence));
                }
                Content::Progress(sequence) => moved.push((delivery.stream, sequence)),
                Content::Failed(failure) => {
                    error!(error = error_chain(&failure), "a follower has failed");
                    announce.send_modify(|progress| progress.failed = Some(Arc::new(failure)));
                    return;
                }
            }
        }
        announce.send_modify(|progress| progress.positions.extend(moved));
    }
    announce.send_modify(|progress| progress.ended = true);
}

impl Follower {
    /// Returns the last folded sequence of a stream, 0 if none.
    pub fn position(&self, stream: Stream) -> u64 {
        self.progress.borrow().positions.get(&stream).copied().unwrap_or(0)
    }

    /// Returns the error that ended the follower, if any.
    pub fn failure(&self) -> Option<Arc<consumer::Error>> {
        self.progress.borrow().failed.clone()
    }

    /// Waits until a stream is folded up to a sequence, at most `within`.
    pub async fn reached(&self, stream: Stream, sequence: u64, within: Duration) -> Result<(), Error> {
        let mut progress = self.progress.clone();
        let there = |progress: &Progress| progress.positions.get(&stream).is_some_and(|at| *at >= sequence);
        let ended = |progress: &Progress| progress.failed.is_some() || progress.ended;
        let waited =
            timeout_at(Instant::now() + within, progress.wait_for(|progress| there(progress) || ended(progress))).await;
        match waited {
            Ok(Ok(progress)) if there(&progress) => Ok(()),
            Ok(Ok(progress)) => Err(progress.failed.clone().map_or(Error::Shutdown, Error::Failed)),
            Ok(Err(_)) => Err(Error::Shutdown),
            Err(_) => Err(Error::Late { stream, position: self.position(stream), wanted: sequence }),
        }
    }

    /// Waits until everything that its streams hold at the time of the call is folded, at most `within`.
    pub async fn caught_up(&self, within: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + within;
        for stream in &self.streams {
            let last = self.log.last_sequence(*stream).await.map_err(|error| Error::Inspect(Arc::new(error)))?;
            let left = deadline.saturating_duration_since(Instant::now());
            tokio::select! {
                reached = self.reached(*stream, last, left) => reached?,
                // Never completes; it only prompts idle filtered readers to report their progress.
                () = self.keep_prompting() => {}
            }
        }
        Ok(())
    }

    async fn keep_prompting(&self) {
        loop {
            self.check_now.notify_waiters();
            sleep(Duration::from_millis(20)).await;
        }
    }
}
