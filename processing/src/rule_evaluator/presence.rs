//! Tracks which devices are online by their sessions. The end of a session counts only if it is the current one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, OrganizationId, SessionId};
use domain::telemetry::{PresenceFact, PresenceKind};
use serde::{Deserialize, Serialize};

/// Reason of a session that ended because the same device opened another; the device stays online.
const TAKEN_OVER: &str = "taken_over";
/// Reason of sessions whose edge is gone.
const EDGE_LOST: &str = "edge_lost";

/// The devices of one partition that are online.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Presence(HashMap<DeviceId, Session>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Session {
    organization: OrganizationId,
    session: Option<SessionId>,
    edge: String,
}

/// A device that went offline.
#[derive(Clone, Debug, PartialEq)]
pub struct WentOffline {
    /// The organisation of the device.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// The session that ended.
    pub session: Option<SessionId>,
    /// When it went offline.
    pub at: DateTime<Utc>,
    /// Why, as in the presence fact.
    pub reason: Option<String>,
}

impl Presence {
    /// Applies a fact. Returns the devices that it took offline, ordered by id.
    pub fn observe(&mut self, fact: &PresenceFact) -> Vec<WentOffline> {
        match (fact.kind, fact.device) {
            (PresenceKind::Connected, Some(device)) => {
                let organization = fact.organization.unwrap_or_default();
                self.0.insert(device, Session { organization, session: fact.session, edge: fact.edge.clone() });
                Vec::new()
            }
            (PresenceKind::Disconnected | PresenceKind::Silent, Some(device)) => {
                self.end(device, fact).into_iter().collect()
            }
            (PresenceKind::EdgeLost, _) => self.end_all(fact),
            (PresenceKind::ConnectionRefused, _) | (_, None) => Vec::new(),
        }
    }

    fn end(&mut self, device: DeviceId, fact: &PresenceFact) -> Option<WentOffline> {
        let is_current = self.0.get(&device).is_some_and(|held| held.session == fact.session);
        if !is_current || fact.reason.as_deref() == Some(TAKEN_OVER) {
            return None;
        }
        let Session { organization, session, .. } = self.0.remove(&device)?;
        Some(WentOffline { organization, device, session, at: fact.at, reason: fact.reason.clone() })
    }

    fn end_all(&mut self, fact: &PresenceFact) -> Vec<WentOffline> {
        let mut devices: Vec<_> =
            self.0.iter().filter(|(_, held)| held.edge == fact.edge).map(|(device, _)| *device).collect();
        devices.sort_unstable();
        let ended = devices.into_iter().filter_map(|device| Some((device, self.0.remove(&device)?)));
        ended
            .map(|(device, held)| WentOffline {
                organization: held.organization,
                device,
                session: held.session,
                at: fact.at,
                reason: Some(EDGE_LOST.to_owned()),
            })
            .collect()
    }
}
