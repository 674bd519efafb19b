//! What the log has been told of the sessions at a broker, so that a notice that comes again, or comes to several bridges,
//! is told once, and an old end never ends a newer session. Pure; what the log holds is folded in by others.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, SessionId};
use domain::telemetry::{PresenceFact, PresenceKind};

use super::notice::Moved;

/// The newest session of each device at one broker.
#[derive(Debug, Default)]
pub struct Known {
    sessions: HashMap<DeviceId, Newest>,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    session: SessionId,
    began: DateTime<Utc>,
    ended: bool,
}

impl Known {
    /// Notes what the log was told of this broker.
    pub fn fold(&mut self, fact: &PresenceFact) {
        if fact.kind == PresenceKind::EdgeLost {
            self.lost(fact.at);
        } else if let (Some(device), Some(session)) = (fact.device, fact.session) {
            self.note(device, session, fact.kind, fact.at);
        }
    }

    /// Returns the session that a notice is about, for the fact that the log is to be told of it, and counts it as told.
    /// None where the log knows already, or the notice is older than what it knows.
    pub fn news(&mut self, moved: &Moved, at: DateTime<Utc>) -> Option<SessionId> {
        let newest = self.sessions.get(&moved.device);
        let session = match (moved.kind, newest) {
            (PresenceKind::Connected, Some(newest)) if moved.session(at) <= newest.session => return None,
            (PresenceKind::Connected, _) => moved.session(at),
            (_, Some(newest)) if newest.ended || at < newest.began => return None,
            (_, Some(newest)) => newest.session,
            // Nobody saw it begin: a session that no other door can have.
            (_, None) => moved.session(at),
        };
        self.note(moved.device, session, moved.kind, at);
        Some(session)
    }

    fn note(&mut self, device: DeviceId, session: SessionId, kind: PresenceKind, at: DateTime<Utc>) {
        let new = Newest { session, began: at, ended: kind != PresenceKind::Connected };
        let newest = self.sessions.entry(device).or_insert(new);
        if newest.session < session {
            *newest = new;
        } else if newest.session == session {
            newest.ended |= new.ended;
        }
    }

    /// Notes that the sessions that began by then are over.
    pub fn lost(&mut self, at: DateTime<Utc>) {
        self.sessions.values_mut().filter(|newest| newest.began <= at).for_each(|newest| newest.ended = true);
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

    fn moved(kind: PresenceKind) -> Moved {
        Moved { device: DeviceId(Uuid::from_u128(1)), kind, reason: None, at: None, peer: String::new() }
    }

    #[test]
    fn an_end_is_the_end_of_the_session_that_began_and_each_is_told_once() {
        let mut known = Known::default();
        let first = known.news(&moved(Connected), at(1)).unwrap();
        assert_eq!(known.news(&moved(Connected), at(1)), None);
        assert_eq!(known.news(&moved(Disconnected), at(5)), Some(first));
        assert_eq!(known.news(&moved(Disconnected), at(5)), None);
        assert!(known.news(&moved(Connected), at(6)).unwrap() > first);
    }

    #[test]
    fn notices_that_come_again_neither_begin_an_old_session_nor_end_a_newer_one() {
        let mut known = Known::default();
        for (kind, seconds) in [(Connected, 1), (Disconnected, 2), (Connected, 3)] {
            assert!(known.news(&moved(kind), at(seconds)).is_some());
        }
        for (kind, seconds) in [(Connected, 1), (Disconnected, 2), (Connected, 3)] {
            assert_eq!(known.news(&moved(kind), at(seconds)), None, "{kind:?}");
        }
    }

    #[test]
    fn an_end_whose_beginning_nobody_saw_is_told_of_a_session_of_its_own() {
        let mut known = Known::default();
        assert!(known.news(&moved(Disconnected), at(1)).is_some());
        assert_eq!(known.news(&moved(Disconnected), at(1)), None);
    }

    #[test]
    fn what_another_bridge_told_is_known() {
        let (mut told, mut known) = (Known::default(), Known::default());
        let session = told.news(&moved(Connected), at(1)).unwrap();
        let fact = |kind, seconds| PresenceFact {
            kind,
            organization: None,
            device: (kind != EdgeLost).then_some(moved(kind).device),
            session: (kind != EdgeLost).then_some(session),
            edge: "broker".into(),
            at: at(seconds),
            reason: None,
        };
        known.fold(&fact(Connected, 1));
        assert_eq!(known.news(&moved(Connected), at(1)), None);
        known.fold(&fact(EdgeLost, 0));
        assert_eq!(known.news(&moved(Disconnected), at(2)), Some(session));
        let mut restarted = Known::default();
        restarted.fold(&fact(Connected, 1));
        restarted.fold(&fact(EdgeLost, 1));
        assert_eq!(restarted.news(&moved(Disconnected), at(2)), None);
    }
}
