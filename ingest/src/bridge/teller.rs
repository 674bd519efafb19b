//! Tells the log of the comings and goings at a broker. Every bridge hears every notice; the first by name tells, and the
//! others keep what they heard for a while: when the first is gone, the next tells what it had not told yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::DeviceId;
use domain::telemetry::PresenceFact;
use eventlog::{Follower, Log, Message, Positions, Source, Stream, follow};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::known::Known;
use super::notice::{Moved, Notice};
use crate::decide::DeviceView;
use crate::presence::Whom;
use crate::shared::Shared;

/// How long a bridge that does not tell keeps what it heard: longer than it takes until a dead one is out of the
/// membership.
const KEEP: Duration = Duration::from_secs(30);
/// Most notices kept; the oldest go first.
const MOST_KEPT: usize = 50_000;
/// How far two computations of a broker's start may be apart and mean the same start, seconds.
const SAME_START: i64 = 3;
/// How long the log is asked at a time what it was told before.
const CATCH_UP: Duration = Duration::from_secs(5);
/// How long to rest before it is asked again.
const REST: Duration = Duration::from_millis(200);

/// Tells the log of a broker's notices.
pub struct Teller {
    shared: Arc<Shared>,
    broker: String,
    known: Arc<Mutex<Known>>,
    told: Follower,
    tells: watch::Receiver<bool>,
    heard: VecDeque<(Instant, Moved, DateTime<Utc>)>,
    started: Option<DateTime<Utc>>,
}

impl Teller {
    /// Begins to follow what the log was told of this broker, by whichever bridge.
    pub async fn start(
        shared: Arc<Shared>,
        log: &Log,
        broker: &str,
        tells: watch::Receiver<bool>,
        shutdown: CancellationToken,
    ) -> Self {
        let known = Arc::<Mutex<Known>>::default();
        let (folded, own) = (known.clone(), broker.to_owned());
        let fold = move |message: &Message| {
            let facts: Vec<PresenceFact> = serde_json::from_slice(&message.payload).unwrap_or_default();
            facts.iter().filter(|fact| fact.edge == own).for_each(|fact| lock(&folded).fold(fact));
        };
        let told = follow(log, vec![Source::all(Stream::Presence)], Positions::default(), fold, shutdown).await;
        Self { shared, broker: broker.to_owned(), known, told, tells, heard: VecDeque::new(), started: None }
    }

    /// Waits until it is known what the log was told before.
    pub async fn ready(&self) {
        while self.told.caught_up(CATCH_UP).await.is_err() {
            if self.told.failure().is_some() {
                warn!(broker = self.broker, "what the log was told of the broker cannot be read");
                return;
            }
            sleep(REST).await;
        }
    }

    /// Waits until this bridge has become the one that tells, or no longer is.
    pub async fn changed(&mut self) {
        if self.tells.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Takes a notice, and tells it where this bridge is the one to tell.
    pub async fn hear(&mut self, notice: Notice) {
        let now = (self.shared.clock)();
        match notice {
            Notice::Device(moved) => {
                // A broker whose clock is ahead must not make later facts look old.
                let at = moved.at.unwrap_or(now).min(now);
                self.heard.push_back((Instant::now(), moved, at));
                self.tell_heard().await;
            }
            Notice::Uptime(seconds) => self.hear_uptime(now - TimeDelta::seconds(seconds.into())).await,
        }
    }

    /// Tells what was heard and not told, where this bridge is the one to tell; forgets what is too old otherwise.
    pub async fn tell_heard(&mut self) {
        if !*self.tells.borrow_and_update() {
            let old = |heard: &(Instant, Moved, DateTime<Utc>)| heard.0.elapsed() > KEEP;
            while self.heard.len() > MOST_KEPT || self.heard.front().is_some_and(old) {
                self.heard.pop_front();
            }
            return;
        }
        while let Some((_, moved, at)) = self.heard.pop_front() {
            let Some(device) = self.device(moved.device).await else { continue };
            let Some(session) = lock(&self.known).news(&moved, at) else { continue };
            let whom =
                Whom { organization: Some(device.organization), device: Some(moved.device), session: Some(session) };
            self.shared.presence.tell_at(&self.broker, moved.kind, whom, moved.reason.as_deref(), at).await;
        }
    }

    async fn device(&self, device: DeviceId) -> Option<DeviceView> {
        match self.shared.directory.device(device) {
            // It may be newer than what this process knows.
            None if self.shared.catch_up().await => self.shared.directory.device(device),
            known => known,
        }
    }

    /// No session is older than its broker: when that has begun anew, those from before are over without a notice.
    async fn hear_uptime(&mut self, started: DateTime<Utc>) {
        let same = |known: DateTime<Utc>| (started - known).num_seconds().abs() <= SAME_START;
        if !*self.tells.borrow() || self.started.is_some_and(same) {
            return;
        }
        info!(broker = self.broker, %started, "the broker has begun");
        self.started = Some(started);
        // In whole seconds, as the sessions' own beginnings are.
        let before = started - TimeDelta::seconds(SAME_START);
        lock(&self.known).lost(before);
        self.shared.presence.tell_edge_lost_at(&self.broker, before).await;
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
