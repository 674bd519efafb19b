//! Presence of devices: connection facts from the ingestion endpoints, outside any aggregate. One message of the
//! presence stream is a JSON array of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, OrganizationId, SessionId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceKind {
    /// A session began.
    Connected,
    /// A session ended.
    Disconnected,
    /// A session timed out: no packet arrived for one and a half keep-alive periods.
    Silent,
    /// A connection was rejected. Device and organisation are known only if the certificate was readable.
    ConnectionRefused,
    /// An ingestion endpoint failed; all of its sessions ended.
    EdgeLost,
}

/// A presence fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresenceFact {
    /// What happened.
    pub kind: PresenceKind,
    /// Its organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The session. The end of a session before the current one has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Instance name of the ingestion endpoint.
    pub edge: String,
    /// When, by the platform's clock.
    pub at: DateTime<Utc>,
    /// The reason: `client_disconnect`, `connection_lost`, `timeout`, `taken_over`, `revoked`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
