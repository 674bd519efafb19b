//! The cache feed: one ordered reader per stream informs the caches of all stores about every process's commits. It is
//! started explicitly; when its token is cancelled, it stops and empties the caches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cqrs_es::Aggregate;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::error::Error;
use super::head::Head;
use super::{AggregateStore, Inner};
use crate::connection::Log;
use crate::consumer::Source;
use crate::error_chain::error_chain;
use crate::follow::{self, Follower, follow};
use crate::message::Message;
use crate::position::Positions;
use crate::streams::Stream;

/// How long one wait for the follower's end lasts before the next begins.
const WATCH_INTERVAL: Duration = Duration::from_secs(3600);

/// A cache feed under construction: the stores it will serve.
pub struct CacheFeed {
    log: Log,
    targets: Vec<Arc<dyn Target>>,
    listener: Option<Listener>,
}

/// Learns of each message once the caches have observed it.
type Listener = Box<dyn Fn(&Message) + Send>;

/// A running cache feed. Dropping it stops it; however it ends, the caches it served are emptied and stay empty.
pub struct RunningFeed {
    follower: Follower,
    targets: Arc<Targets>,
    _end: DropGuard,
}

/// A cache that the feed serves, independent of its aggregate type.
trait Target: Send + Sync {
    fn aggregate_type(&self) -> &'static str;
    fn go_live(&self);
    fn observe(&self, message: &Message);
    fn stop(&self);
}

struct Targets(Vec<Arc<dyn Target>>);

impl CacheFeed {
    /// Returns a feed that serves no store yet.
    pub fn new(log: &Log) -> Self {
        Self { log: log.clone(), targets: Vec::new(), listener: None }
    }

    /// Adds a store, including its clones.
    #[must_use]
    pub fn serve<A: Aggregate + Clone + 'static>(mut self, store: &AggregateStore<A>) -> Self {
        self.targets.push(store.inner.clone());
        self
    }

    /// Calls `listener` with each message once the caches have observed it.
    #[must_use]
    pub fn then(mut self, listener: impl Fn(&Message) + Send + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Starts reading at the current end of the streams; from then on the served stores cache what they load.
    pub async fn start(self, shutdown: CancellationToken) -> Result<RunningFeed, Error> {
        let mut from = Vec::new();
        for stream in self.streams() {
            from.push((stream, self.log.last_sequence(stream).await.map_err(|source| Error::Feed(source.into()))?));
        }
        let shutdown = shutdown.child_token();
        let targets = Arc::new(Targets(self.targets));
        targets.0.iter().for_each(|target| target.go_live());
        let (observers, listener) = (targets.clone(), self.listener);
        let observe = move |message: &Message| {
            observers.observe(message);
            listener.iter().for_each(|listener| listener(message));
        };
        let sources = from.iter().map(|(stream, _)| Source::all(*stream)).collect();
        let follower = follow(&self.log, sources, Positions::at(from), observe, shutdown.clone()).await;
        tokio::spawn(stop_with(follower.clone(), targets.clone()));
        Ok(RunningFeed { follower, targets, _end: shutdown.drop_guard() })
    }

    fn streams(&self) -> BTreeSet<Stream> {
        self.targets.iter().map(|target| Stream::for_aggregate(target.aggregate_type())).collect()
    }
}

impl RunningFeed {
    /// Returns the last sequence of a stream that the caches have observed.
    pub fn position(&self, stream: Stream) -> u64 {
        self.follower.position(stream)
    }

    /// Waits until the caches have observed everything up to a sequence.
    pub async fn reached(&self, stream: Stream, sequence: u64, deadline: Duration) -> Result<(), follow::Error> {
        self.follower.reached(stream, sequence, deadline).await
    }
}

impl Drop for RunningFeed {
    fn drop(&mut self) {
        self.targets.stop();
    }
}

impl Targets {
    fn observe(&self, message: &Message) {
        // es.<organization>.<aggregate type>.<id>
        let aggregate_type = message.subject_token(2);
        for target in self.0.iter().filter(|target| Some(target.aggregate_type()) == aggregate_type) {
            target.observe(message);
        }
    }

    fn stop(&self) {
        self.0.iter().for_each(|target| target.stop());
    }
}

/// Empties the caches when the follower has ended, whether by its token or with an error.
async fn stop_with(follower: Follower, targets: Arc<Targets>) {
    let Some(stream) = targets.0.first().map(|target| Stream::for_aggregate(target.aggregate_type())) else { return };
    // No stream reaches the maximum sequence, so only the follower's end completes a wait.
    while let Err(follow::Error::Late { .. }) = follower.reached(stream, u64::MAX, WATCH_INTERVAL).await {}
    targets.stop();
}

impl<A: Aggregate + Clone> Target for Inner<A> {
    fn aggregate_type(&self) -> &'static str {
        A::TYPE
    }

    fn go_live(&self) {
        self.cache.go_live();
    }

    /// Ignores messages of this process's own commits; folds another process's message into the cached state.
    fn observe(&self, message: &Message) {
        let Some(head) = self.cache.observe(&message.subject, message.sequence) else { return };
        let mut head = Head::clone(&head);
        match head.fold(message, &self.folding) {
            Ok(()) => self.cache.advance(&message.subject, Arc::new(head)),
            Err(error) => {
                self.cache.remove(&message.subject);
                tracing::warn!(
                    subject = message.subject,
                    error = error_chain(&error),
                    "cannot fold a message into the cached state; the entry is dropped"
                );
            }
        }
    }

    fn stop(&self) {
        self.cache.stop();
    }
}
