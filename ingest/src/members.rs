//! The doors among each other: who is alive, and what is told when one is gone. Not the membership itself, which the
//! log keeps.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::telemetry::PresenceKind;
use eventlog::members::Members;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::edge::session_registry::SessionRegistry;
use crate::presence::{Presence, PresenceSubject};

/// The kind of work that doors join for.
pub const KIND: &str = "edge";
/// What stands before a door's name in its name among the members.
const PREFIX: &str = "edge-";

/// Returns the name a door has among the members. Other roles of the same instance are members of their own.
pub fn member(door: &str) -> String {
    format!("{PREFIX}{door}")
}

/// What to do about a change of members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Doors that are gone and that this one tells about.
    pub lost: Vec<String>,
    /// Whether this door was taken for gone and is back: its sessions have to be told anew.
    pub returned: bool,
}

/// Which doors were alive, as one of them sees it.
#[derive(Clone, Debug)]
pub struct LiveDoors {
    own: String,
    alive: BTreeSet<String>,
    left_membership: bool,
}

impl LiveDoors {
    /// Begins with this door alone.
    pub fn new(own: &str) -> Self {
        Self { own: own.to_owned(), alive: BTreeSet::new(), left_membership: false }
    }

    /// Notes who is alive now; answers what to do about it.
    pub fn update(&mut self, members: &Members) -> Change {
        let doors = members.iter().filter(|(_, kinds)| kinds.contains(KIND));
        let alive: BTreeSet<String> =
            doors.filter_map(|(member, _)| member.strip_prefix(PREFIX)).map(str::to_owned).collect();
        if !alive.contains(&self.own) {
            self.left_membership = true;
            return Change::default();
        }
        let returned = std::mem::take(&mut self.left_membership);
        // One tells, the first by name, so that facts do not multiply with doors.
        let tells = alive.first() == Some(&self.own);
        let lost = self.alive.difference(&alive).filter(|_| tells).cloned().collect();
        self.alive = alive;
        Change { lost, returned }
    }
}

/// Watches the members and tells what follows, until the membership ends.
pub async fn watch(
    own: String,
    mut members: watch::Receiver<Members>,
    presence: Arc<Presence>,
    sessions: Arc<SessionRegistry>,
) {
    let mut doors = LiveDoors::new(&own);
    loop {
        let change = doors.update(&members.borrow_and_update());
        for edge in &change.lost {
            warn!(edge, "a door is gone");
            presence.report_edge_lost(edge).await;
        }
        if change.returned {
            info!(sessions = sessions.len(), "this door was left_membership of the membership and is back");
            for handle in sessions.all() {
                presence
                    .report(
                        PresenceKind::Connected,
                        PresenceSubject::of_session(&handle.identity, Some(handle.session)),
                        None,
                    )
                    .await;
            }
        }
        if members.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(names: &[&str]) -> Members {
        names.iter().map(|name| (member(name), BTreeSet::from([KIND.to_owned()]))).collect()
    }

    #[test]
    fn one_door_tells_that_another_is_gone() {
        let (mut a, mut b) = (LiveDoors::new("a"), LiveDoors::new("b"));
        for doors in [&mut a, &mut b] {
            assert_eq!(doors.update(&members(&["a", "b", "c"])), Change::default());
        }
        let lost = Change { lost: vec!["c".into()], returned: false };
        assert_eq!(a.update(&members(&["a", "b"])), lost);
        assert_eq!(b.update(&members(&["a", "b"])), Change::default());
    }

    #[test]
    fn a_door_that_was_out_tells_its_sessions_anew_and_takes_nobody_for_gone() {
        let mut a = LiveDoors::new("a");
        a.update(&members(&["a", "b"]));
        assert_eq!(a.update(&Members::new()), Change::default());
        assert_eq!(a.update(&members(&["a", "b"])), Change { lost: vec![], returned: true });
    }

    #[test]
    fn processes_of_other_kinds_are_no_doors() {
        let mut a = LiveDoors::new("a");
        let mut with_stage = members(&["a"]);
        with_stage.insert("b".into(), BTreeSet::from(["normalizer".to_owned()]));
        a.update(&with_stage);
        assert_eq!(a.update(&members(&["a"])), Change::default());
    }
}
