//! Whether devices are there: packed facts of the doors, no aggregates. One message of the presence stream is a JSON array.

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
    /// A session ended because nothing came for one and a half keep-alive periods.
    Silent,
    /// A connection was refused; device and organisation stand here only where the certificate was readable.
    ConnectionRefused,
    /// A door died; all of its sessions are over.
    EdgeLost,
}

/// One fact.
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
    /// The session; an end older than the current session changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The door, by its instance name.
    pub edge: String,
    /// When, by the platform's clock.
    pub at: DateTime<Utc>,
    /// Why: `client_disconnect`, `connection_lost`, `timeout`, `taken_over`, `revoked`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
