//! Tracks which edges are alive, and reports an edge that is lost. The membership itself is kept by `eventlog`.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::telemetry::PresenceKind;
use eventlog::members::Members;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::edge::session_registry::SessionRegistry;
use crate::presence::{Presence, PresenceSubject};

/// The kind under which edges join the membership.
pub const KIND: &str = "edge";
/// Prefix of an edge's member name.
const PREFIX: &str = "edge-";

/// Returns the member name of an edge. Other roles of the same instance have their own members.
pub fn member(door: &str) -> String {
    format!("{PREFIX}{door}")
}

/// What to do after a change of the membership.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Lost edges that this one reports.
    pub lost: Vec<String>,
    /// Whether this edge was considered lost and is back, so that its sessions must be reported again.
    pub returned: bool,
}

/// The edges that are alive, as seen by one of them.
#[derive(Clone, Debug)]
pub struct LiveDoors {
    own: String,
    alive: BTreeSet<String>,
    left_membership: bool,
}

impl LiveDoors {
    /// Starts with an empty view.
    pub fn new(own: &str) -> Self {
        Self { own: own.to_owned(), alive: BTreeSet::new(), left_membership: false }
    }

    /// Applies the current members; returns what to do.
    pub fn update(&mut self, members: &Members) -> Change {
        let doors = members.iter().filter(|(_, kinds)| kinds.contains(KIND));
        let alive: BTreeSet<String> =
            doors.filter_map(|(member, _)| member.strip_prefix(PREFIX)).map(str::to_owned).collect();
        // This edge itself is cut off, so it cannot tell who else is lost.
        if !alive.contains(&self.own) {
            self.left_membership = true;
            return Change::default();
        }
        let returned = std::mem::take(&mut self.left_membership);
        // Only the first edge by name reports, so that a loss is reported once.
        let tells = alive.first() == Some(&self.own);
        let lost = self.alive.difference(&alive).filter(|_| tells).cloned().collect();
        self.alive = alive;
        Change { lost, returned }
    }
}

/// Watches the members and acts on changes until the membership ends.
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
            warn!(edge, "an edge is lost");
            presence.report_edge_lost(edge).await;
        }
        if change.returned {
            info!(sessions = sessions.len(), "this edge rejoined the membership; reporting its sessions again");
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
    fn only_one_edge_reports_a_lost_edge() {
        let (mut a, mut b) = (LiveDoors::new("a"), LiveDoors::new("b"));
        for doors in [&mut a, &mut b] {
            assert_eq!(doors.update(&members(&["a", "b", "c"])), Change::default());
        }
        let lost = Change { lost: vec!["c".into()], returned: false };
        assert_eq!(a.update(&members(&["a", "b"])), lost);
        assert_eq!(b.update(&members(&["a", "b"])), Change::default());
    }

    #[test]
    fn an_edge_that_rejoins_reports_its_sessions_and_no_lost_edge() {
        let mut a = LiveDoors::new("a");
        a.update(&members(&["a", "b"]));
        assert_eq!(a.update(&Members::new()), Change::default());
        assert_eq!(a.update(&members(&["a", "b"])), Change { lost: vec![], returned: true });
    }

    #[test]
    fn processes_of_other_kinds_are_not_edges() {
        let mut a = LiveDoors::new("a");
        let mut with_stage = members(&["a"]);
        with_stage.insert("b".into(), BTreeSet::from(["normalizer".to_owned()]));
        a.update(&with_stage);
        assert_eq!(a.update(&members(&["a"])), Change::default());
    }
}
