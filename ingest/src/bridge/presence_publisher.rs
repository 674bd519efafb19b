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

use super::broker_events::{BrokerEvent, ClientEvent};
use super::reported_sessions::ReportedSessions;
use crate::decide::DeviceView;
use crate::presence::PresenceSubject;
use crate::shared::Shared;

/// How long a bridge that does not tell keeps what it heard: longer than it takes until a dead one is out of the
/// membership.
const KEEP_FOR: Duration = Duration::from_secs(30);
/// Most notices kept; the oldest go first.
const MAX_PENDING: usize = 50_000;
/// How far two computations of a broker's start may be apart and mean the same start, seconds.
const SAME_START_SECONDS: i64 = 3;
/// How long the log is asked at a time what it was told before.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to rest before it is asked again.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// Tells the log of a broker's notices.
pub struct PresencePublisher {
    shared: Arc<Shared>,
    broker: String,
    reported: Arc<Mutex<ReportedSessions>>,
    presence_log: Follower,
    elected: watch::Receiver<bool>,
    pending: VecDeque<(Instant, ClientEvent, DateTime<Utc>)>,
    started: Option<DateTime<Utc>>,
}

impl PresencePublisher {
    /// Begins to follow what the log was told of this broker, by whichever bridge.
    pub async fn start(
        shared: Arc<Shared>,
        log: &Log,
        broker: &str,
        elected: watch::Receiver<bool>,
        shutdown: CancellationToken,
    ) -> Self {
        let reported = Arc::<Mutex<ReportedSessions>>::default();
        let (folded, own) = (reported.clone(), broker.to_owned());
        let fold = move |message: &Message| {
            let facts: Vec<PresenceFact> = serde_json::from_slice(&message.payload).unwrap_or_default();
            facts.iter().filter(|fact| fact.edge == own).for_each(|fact| lock(&folded).fold(fact));
        };
        let presence_log = follow(log, vec![Source::all(Stream::Presence)], Positions::default(), fold, shutdown).await;
        Self {
            shared,
            broker: broker.to_owned(),
            reported,
            presence_log,
            elected,
            pending: VecDeque::new(),
            started: None,
        }
    }

    /// Waits until it is known what the log was told before.
    pub async fn ready(&self) {
        while self.presence_log.caught_up(CATCH_UP_TIMEOUT).await.is_err() {
            if self.presence_log.failure().is_some() {
                warn!(broker = self.broker, "what the log was presence_log of the broker cannot be read");
                return;
            }
            sleep(RETRY_DELAY).await;
        }
    }

    /// Waits until this bridge has become the one that tells, or no longer is.
    pub async fn leadership_change(&mut self) {
        if self.elected.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Takes a notice, and tells it where this bridge is the one to tell.
    pub async fn on_event(&mut self, notice: BrokerEvent) {
        let now = (self.shared.clock)();
        match notice {
            BrokerEvent::Client(event) => {
                // A broker whose clock is ahead must not make later facts look old.
                let at = event.at.unwrap_or(now).min(now);
                self.pending.push_back((Instant::now(), event, at));
                self.publish_pending().await;
            }
            BrokerEvent::Uptime(seconds) => self.on_uptime(now - TimeDelta::seconds(seconds.into())).await,
        }
    }

    /// Tells what was heard and not told, where this bridge is the one to tell; forgets what is too old otherwise.
    pub async fn publish_pending(&mut self) {
        if !*self.elected.borrow_and_update() {
            let old = |heard: &(Instant, ClientEvent, DateTime<Utc>)| heard.0.elapsed() > KEEP_FOR;
            while self.pending.len() > MAX_PENDING || self.pending.front().is_some_and(old) {
                self.pending.pop_front();
            }
            return;
        }
        while let Some((_, event, at)) = self.pending.pop_front() {
            let Some(device) = self.device(event.device).await else { continue };
            let Some(session) = lock(&self.reported).report(&event, at) else { continue };
            let subject = PresenceSubject {
                organization: Some(device.organization),
                device: Some(event.device),
                session: Some(session),
            };
            self.shared.presence.report_at(&self.broker, event.kind, subject, event.reason.as_deref(), at).await;
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
    async fn on_uptime(&mut self, started: DateTime<Utc>) {
        let same = |known: DateTime<Utc>| (started - known).num_seconds().abs() <= SAME_START_SECONDS;
        if !*self.elected.borrow() || self.started.is_some_and(same) {
            return;
        }
        info!(broker = self.broker, %started, "the broker has begun");
        self.started = Some(started);
        // In whole seconds, as the sessions' own beginnings are.
        let before = started - TimeDelta::seconds(SAME_START_SECONDS);
        lock(&self.reported).end_started_by(before);
        self.shared.presence.report_edge_lost_at(&self.broker, before).await;
    }
}

fn lock(known: &Mutex<ReportedSessions>) -> MutexGuard<'_, ReportedSessions> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
