//! The directory that all stages of a process share. It is folded from the domain stream and read under a lock that is
//! taken once per batch. The fold itself lives in `domain::directory`.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use domain::AnyEvent;
use domain::directory::Directory;
use eventlog::follow::Error as FollowError;
use eventlog::{Follower, Log, Message, Positions, Source, Stream, Upcasters, decode_events, follow};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::metric_names;

/// How long a stage waits for the directory before it retries its batch.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the first fold of the whole domain stream may take.
const FIRST_FOLD_TIMEOUT: Duration = Duration::from_secs(1_800);
/// Longer than any process runs.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The shared directory. Clones share one directory.
#[derive(Clone)]
pub struct SharedDirectory {
    directory: Arc<RwLock<Directory>>,
    follower: Follower,
}

impl SharedDirectory {
    /// Starts folding the domain stream from its first message, until `shutdown`.
    pub async fn open(log: &Log, shutdown: CancellationToken) -> Self {
        let directory = Arc::new(RwLock::new(Directory::default()));
        let (folded, upcasters) = (directory.clone(), Upcasters::of(domain::CONVERSIONS));
        let fold = move |message: &Message| apply(&folded, message, &upcasters);
        let follower = follow(log, vec![Source::all(Stream::Es)], Positions::new(), fold, shutdown).await;
        Self { directory, follower }
    }

    /// Locks the directory for reading. Never hold the guard across an `await`: it blocks the fold.
    pub fn read(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the domain stream is folded up to a position. Fails after 10 s, or when the fold has ended.
    pub async fn reached(&self, position: u64) -> Result<(), FollowError> {
        if self.read().position() >= position {
            return Ok(());
        }
        self.follower.reached(Stream::Es, position, CATCH_UP_TIMEOUT).await
    }

    /// Waits until everything that the domain stream holds at this moment is folded. Fails after 10 s.
    pub async fn caught_up(&self) -> Result<(), FollowError> {
        self.follower.caught_up(CATCH_UP_TIMEOUT).await
    }

    /// Waits for the first fold of the whole domain stream. Fails after 30 minutes.
    pub async fn first_caught_up(&self) -> Result<(), FollowError> {
        self.follower.caught_up(FIRST_FOLD_TIMEOUT).await
    }

    /// Waits until the fold ends, and returns why. From then on every lookup would be stale.
    pub async fn failed(&self) -> FollowError {
        loop {
            if let Err(ended) = self.follower.reached(Stream::Es, u64::MAX, FOR_EVER).await {
                return ended;
            }
        }
    }
}

fn apply(directory: &RwLock<Directory>, message: &Message, upcasters: &Upcasters) {
    let events = decode_events(message, upcasters).unwrap_or_else(|failure| {
        unreadable(message, &failure);
        Vec::new()
    });
    let mut directory = directory.write().unwrap_or_else(PoisonError::into_inner);
    for event in events {
        let (organization, id) = (event.organization.parse(), event.aggregate_id.parse());
        match (AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload), organization, id) {
            (Ok(known), Ok(organization), Ok(id)) => directory.apply(event.position, organization, id, &known),
            (Err(failure), ..) => unreadable(message, &failure),
            (_, Err(failure), _) | (_, _, Err(failure)) => unreadable(message, &failure),
        }
    }
    directory.advance_to(message.sequence);
    metrics::gauge!(metric_names::DIRECTORY_POSITION).set(message.sequence as f64);
    for (kind, size) in directory.sizes() {
        metrics::gauge!(metric_names::DIRECTORY_ENTRIES, "kind" => kind).set(size as f64);
    }
}

fn unreadable(message: &Message, failure: &(dyn std::error::Error + 'static)) {
    error!(subject = message.subject, position = message.sequence, error = failure, "cannot decode a stored event");
    metrics::counter!(metric_names::UNREADABLE_EVENTS).increment(1);
}
