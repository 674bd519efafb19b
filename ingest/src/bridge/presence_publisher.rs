//! Publishes presence facts from broker events. Every bridge receives every event, and only the elected one publishes.
//! The others keep their events for a while, so that a newly elected bridge publishes what its predecessor did not.

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

/// How long a bridge that is not elected keeps events: longer than it takes for a dead bridge to leave the membership.
const KEEP_FOR: Duration = Duration::from_secs(30);
/// Most events kept; the oldest are dropped first.
const MAX_PENDING: usize = 50_000;
/// Two start times of a broker computed from its uptime denote the same start if they differ by at most this.
const SAME_START_SECONDS: i64 = 3;
/// Timeout of one attempt to read the presence log to its end.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay before the next attempt.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// Publishes presence facts from a broker's events.
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
    /// Starts following the presence facts that any bridge has published for this broker.
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

    /// Waits until all earlier presence facts are known.
    pub async fn ready(&self) {
        while self.presence_log.caught_up(CATCH_UP_TIMEOUT).await.is_err() {
            if self.presence_log.failure().is_some() {
                warn!(broker = self.broker, "failed to read the broker's presence facts");
                return;
            }
            sleep(RETRY_DELAY).await;
        }
    }

    /// Waits until this bridge gains or loses the election.
    pub async fn leadership_change(&mut self) {
        if self.elected.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Handles a broker event; publishes it if this bridge is elected.
    pub async fn on_event(&mut self, event: BrokerEvent) {
        let now = (self.shared.clock)();
        match event {
            BrokerEvent::Client(event) => {
                // Cap the time: with a broker's clock ahead, later facts would look old.
                let at = event.at.unwrap_or(now).min(now);
                self.pending.push_back((Instant::now(), event, at));
                self.publish_pending().await;
            }
            BrokerEvent::Uptime(seconds) => self.on_uptime(now - TimeDelta::seconds(seconds.into())).await,
        }
    }

    /// Publishes the pending events if this bridge is elected; otherwise drops those that are too old.
    pub async fn publish_pending(&mut self) {
        if !*self.elected.borrow_and_update() {
            let old = |pending: &(Instant, ClientEvent, DateTime<Utc>)| pending.0.elapsed() > KEEP_FOR;
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
            // The device may be newer than this process's directory.
            None if self.shared.catch_up().await => self.shared.directory.device(device),
            known => known,
        }
    }

    /// Detects a restart of the broker: sessions older than the broker have ended without an event.
    async fn on_uptime(&mut self, started: DateTime<Utc>) {
        let same = |known: DateTime<Utc>| (started - known).num_seconds().abs() <= SAME_START_SECONDS;
        if !*self.elected.borrow() || self.started.is_some_and(same) {
            return;
        }
        info!(broker = self.broker, %started, "the broker has started");
        self.started = Some(started);
        // mosquitto reports session starts in whole seconds, so leave a margin.
        let before = started - TimeDelta::seconds(SAME_START_SECONDS);
        lock(&self.reported).end_started_by(before);
        self.shared.presence.report_edge_lost_at(&self.broker, before).await;
    }
}

fn lock(reported: &Mutex<ReportedSessions>) -> MutexGuard<'_, ReportedSessions> {
    reported.lock().unwrap_or_else(PoisonError::into_inner)
}
