//! The sessions at a broker that the presence log already knows. An event that is repeated or reaches several bridges
//! is reported once, and an old disconnect never ends a newer session. Pure.

use std::cmp::Ordering;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, SessionId};
use domain::telemetry::{PresenceFact, PresenceKind};

use super::broker_events::ClientEvent;

/// The latest session of each device at one broker.
#[derive(Debug, Default)]
pub struct ReportedSessions {
    sessions: HashMap<DeviceId, LatestSession>,
}

#[derive(Clone, Debug)]
struct LatestSession {
    session: SessionId,
    began: DateTime<Utc>,
    ended: bool,
    /// Earlier sessions with the same start time: a broker may report whole seconds only.
    before: Vec<SessionId>,
}

impl ReportedSessions {
    /// Applies a presence fact of this broker.
    pub fn fold(&mut self, fact: &PresenceFact) {
        if fact.kind == PresenceKind::EdgeLost {
            self.end_started_by(fact.at);
        } else if let (Some(device), Some(session)) = (fact.device, fact.session) {
            self.note(device, session, fact.kind, fact.at);
        }
    }

    /// Returns the session to report an event under, and records it as reported. Returns `None` if the event has been
    /// reported or is older than the latest session.
    pub fn report(&mut self, event: &ClientEvent, at: DateTime<Utc>) -> Option<SessionId> {
        let latest = self.sessions.get(&event.device);
        let session = match (event.kind, latest) {
            (PresenceKind::Connected, Some(latest)) => latest.next_session(event, at)?,
            (_, Some(latest)) if latest.ended || at < latest.began => return None,
            (_, Some(latest)) => latest.session,
            // A disconnect without a known connect gets its own session id, which no other door can have.
            (_, None) => event.session(at, 0),
        };
        self.note(event.device, session, event.kind, at);
        Some(session)
    }

    fn note(&mut self, device: DeviceId, session: SessionId, kind: PresenceKind, at: DateTime<Utc>) {
        let new = LatestSession { session, began: at, ended: kind != PresenceKind::Connected, before: Vec::new() };
        let latest = self.sessions.entry(device).or_insert_with(|| new.clone());
        if latest.session == session {
            latest.ended |= new.ended;
        } else if latest.session < session {
            let before = std::mem::replace(latest, new);
            if before.began == at {
                latest.before = before.before;
                latest.before.push(before.session);
            }
        }
    }

    /// Marks all sessions that began at or before `at` as ended.
    pub fn end_started_by(&mut self, at: DateTime<Utc>) {
        self.sessions.values_mut().filter(|latest| latest.began <= at).for_each(|latest| latest.ended = true);
    }
}

impl LatestSession {
    /// Returns the id of the session that begins with this event; `None` if the event is old or a repetition.
    fn next_session(&self, event: &ClientEvent, at: DateTime<Utc>) -> Option<SessionId> {
        match at.cmp(&self.began) {
            Ordering::Less => None,
            Ordering::Greater => Some(event.session(at, 0)),
            Ordering::Equal => {
                let mut same_time = self.before.iter().chain([&self.session]);
                let came_before = same_time.any(|session| event.started(*session));
                (!came_before).then(|| event.session(at, self.before.len() + 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PresenceKind::{Connected, Disconnected, EdgeLost};
    use uuid::Uuid;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn event(kind: PresenceKind) -> ClientEvent {
        ClientEvent { device: DeviceId(Uuid::from_u128(1)), kind, reason: None, at: None, peer: String::new() }
    }

    #[test]
    fn a_disconnect_ends_the_current_session_and_each_event_is_reported_once() {
        let mut reported = ReportedSessions::default();
        let first = reported.report(&event(Connected), at(1)).unwrap();
        assert_eq!(reported.report(&event(Connected), at(1)), None);
        assert_eq!(reported.report(&event(Disconnected), at(5)), Some(first));
        assert_eq!(reported.report(&event(Disconnected), at(5)), None);
        assert!(reported.report(&event(Connected), at(6)).unwrap() > first);
    }

    #[test]
    fn repeated_events_neither_reopen_an_old_session_nor_end_a_newer_one() {
        let mut reported = ReportedSessions::default();
        for (kind, seconds) in [(Connected, 1), (Disconnected, 2), (Connected, 3)] {
            assert!(reported.report(&event(kind), at(seconds)).is_some());
        }
        for (kind, seconds) in [(Connected, 1), (Disconnected, 2), (Connected, 3)] {
            assert_eq!(reported.report(&event(kind), at(seconds)), None, "{kind:?}");
        }
    }

    #[test]
    fn sessions_within_one_second_are_ordered_and_reported_once() {
        let mut reported = ReportedSessions::default();
        let came = |peer: &str| ClientEvent { peer: peer.to_owned(), ..event(Connected) };
        let mut sessions = Vec::new();
        for peer in ["a", "b", "c", "d"] {
            sessions.push(reported.report(&came(peer), at(1)).unwrap());
            assert_eq!(reported.report(&event(Disconnected), at(1)), sessions.last().copied());
        }
        assert!(sessions.is_sorted(), "{sessions:?}");
        for peer in ["a", "b", "c", "d"] {
            assert_eq!(reported.report(&came(peer), at(1)), None, "{peer}");
        }
    }

    #[test]
    fn a_disconnect_without_a_connect_is_reported_under_its_own_session() {
        let mut reported = ReportedSessions::default();
        assert!(reported.report(&event(Disconnected), at(1)).is_some());
        assert_eq!(reported.report(&event(Disconnected), at(1)), None);
    }

    #[test]
    fn sessions_reported_by_another_bridge_are_known() {
        let (mut other_bridge, mut reported) = (ReportedSessions::default(), ReportedSessions::default());
        let session = other_bridge.report(&event(Connected), at(1)).unwrap();
        let fact = |kind, seconds| PresenceFact {
            kind,
            organization: None,
            device: (kind != EdgeLost).then_some(event(kind).device),
            session: (kind != EdgeLost).then_some(session),
            edge: "broker".into(),
            at: at(seconds),
            reason: None,
        };
        reported.fold(&fact(Connected, 1));
        assert_eq!(reported.report(&event(Connected), at(1)), None);
        reported.fold(&fact(EdgeLost, 0));
        assert_eq!(reported.report(&event(Disconnected), at(2)), Some(session));
        let mut restarted = ReportedSessions::default();
        restarted.fold(&fact(Connected, 1));
        restarted.fold(&fact(EdgeLost, 1));
        assert_eq!(restarted.report(&event(Disconnected), at(2)), None);
    }
}
