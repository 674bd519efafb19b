//! Writes presence facts to the log: devices that connected, disconnected, fell silent or were refused, packed by
//! partition of the device.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use certs::Identity;
use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, OrganizationId, SessionId};
use domain::telemetry::{PresenceFact, PresenceKind};
use eventlog::lane::Pack;
use eventlog::writer::WriterSettings;
use eventlog::{Lane, LaneSettings, Log, PARTITIONS, Stream, partition_of};
use futures_util::future::join_all;
use metrics::counter;

use crate::config::Clock;
use crate::edge::rate_limit::{Rate, Throttle};
use crate::metric_names as names;

/// How long a fact waits for others to be packed with.
const LINGER: Duration = Duration::from_millis(20);
/// Bytes of facts that may wait for the log, per partition.
const WAITING_BYTES: usize = 2 << 20;
/// How long writing facts is retried.
const WRITE_DEADLINE: Duration = Duration::from_secs(3_600);
/// Largest encoded size of a fact in bytes, without the edge's name.
const FACT_BYTES: usize = 400;
/// Refused connections reported a second on average: anyone can cause refusals, so they must not flood the log.
const REFUSALS_PER_SECOND: u32 = 20;
/// Refused connections reported at once above that rate.
const REFUSAL_BURST: u32 = 200;

/// Writes presence facts.
pub struct Presence {
    lanes: Vec<Lane<PresenceFact>>,
    edge: String,
    clock: Clock,
    refusals: Mutex<Throttle>,
}

/// The device or organisation that a fact is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct PresenceSubject {
    /// The organisation, if known.
    pub organization: Option<OrganizationId>,
    /// The device, if known.
    pub device: Option<DeviceId>,
    /// The session, if there was one.
    pub session: Option<SessionId>,
}

impl PresenceSubject {
    /// Returns the subject of a device, with its session if it has one.
    pub fn of_session(identity: &Identity, session: Option<SessionId>) -> Self {
        let organization = Some(OrganizationId(identity.organization));
        Self { organization, device: Some(DeviceId(identity.device)), session }
    }
}

impl Presence {
    /// Starts the lanes, for facts of this edge.
    pub fn start(log: &Log, edge: &str, clock: Clock) -> Self {
        let lane = |partition: u16| {
            let writer = WriterSettings { deadline: WRITE_DEADLINE, ..WriterSettings::default() };
            let settings =
                LaneSettings { linger: LINGER, waiting_bytes: WAITING_BYTES, writer, ..LaneSettings::default() };
            Lane::start(log, Stream::Presence, &partition.to_string(), settings, encode, |_, _| {})
        };
        let refusals = Mutex::new(Throttle::new(Instant::now()));
        Self { lanes: (0..PARTITIONS).map(lane).collect(), edge: edge.to_owned(), clock, refusals }
    }

    /// Reports an event of a device, waiting while the log is far behind.
    pub async fn report(&self, kind: PresenceKind, subject: PresenceSubject, reason: Option<&str>) {
        self.report_at(&self.edge, kind, subject, reason, (self.clock)()).await;
    }

    /// Reports an event of a device at another place, such as a broker, with its time.
    pub async fn report_at(
        &self,
        edge: &str,
        kind: PresenceKind,
        subject: PresenceSubject,
        reason: Option<&str>,
        at: DateTime<Utc>,
    ) {
        let partition = subject.device.map_or(0, |device| partition_of(device.0));
        self.push(partition, fact(kind, subject, edge, reason, at)).await;
    }

    /// Reports a refused connection unless too many were reported recently; returns whether it did.
    pub async fn report_refused(&self, subject: PresenceSubject, reason: &str) -> bool {
        let rate = Rate::new(REFUSALS_PER_SECOND, REFUSAL_BURST);
        let now = Instant::now();
        {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            // Count on a copy: an unreported refusal must not use up the rate.
            let mut counted = *refusals;
            if counted.count(rate, now).is_some() {
                return false;
            }
            *refusals = counted;
        }
        self.report(PresenceKind::ConnectionRefused, subject, Some(reason)).await;
        true
    }

    /// Reports to every partition that an edge is lost with all of its sessions.
    pub async fn report_edge_lost(&self, edge: &str) {
        self.report_edge_lost_at(edge, (self.clock)()).await;
    }

    /// Reports to every partition that all sessions that an edge had at `at` have ended.
    pub async fn report_edge_lost_at(&self, edge: &str, at: DateTime<Utc>) {
        for partition in 0..PARTITIONS {
            self.push(partition, fact(PresenceKind::EdgeLost, PresenceSubject::default(), edge, None, at)).await;
        }
    }

    /// Accepts nothing more and returns once everything reported is written or has failed.
    pub async fn close(&self) {
        join_all(self.lanes.iter().map(Lane::close)).await;
    }

    async fn push(&self, partition: u16, fact: PresenceFact) {
        let bytes = FACT_BYTES + fact.edge.len();
        // The lane is closed only after all sessions have ended and been reported.
        let _ = self.lanes[usize::from(partition)].push(fact, bytes).await;
    }
}

fn fact(
    kind: PresenceKind,
    subject: PresenceSubject,
    edge: &str,
    reason: Option<&str>,
    at: DateTime<Utc>,
) -> PresenceFact {
    PresenceFact {
        kind,
        organization: subject.organization,
        device: subject.device,
        session: subject.session,
        edge: edge.to_owned(),
        at,
        reason: reason.map(str::to_owned),
    }
}

fn encode(facts: &[PresenceFact]) -> Pack {
    for fact in facts {
        let kind = match fact.kind {
            PresenceKind::Connected => "connected",
            PresenceKind::Disconnected => "disconnected",
            PresenceKind::Silent => "silent",
            PresenceKind::ConnectionRefused => "connection_refused",
            PresenceKind::EdgeLost => "edge_lost",
        };
        counter!(names::PRESENCE_FACTS, "kind" => kind).increment(1);
    }
    // Facts consist of strings and times, which always serialise.
    Pack { payload: serde_json::to_vec(facts).unwrap_or_default().into(), ..Pack::default() }
}
