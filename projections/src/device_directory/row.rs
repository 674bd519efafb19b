//! The rows of the device directory.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::row_batch::Row;

/// A device, without its connectivity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// The device.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// Free text for people.
    pub description: Option<String>,
    /// The maker's serial number.
    pub serial_number: String,
    /// Its type.
    pub device_type_id: Uuid,
    /// A JSON object.
    pub custom_attributes: Value,
    /// `active` or `decommissioned`.
    pub status: String,
    /// Why it is out of service.
    pub decommission_reason: Option<String>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// By whom, `user:<id>`.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for DeviceRow {
    const TABLE: &'static str = "devices";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// Whether a device is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectivityRow {
    /// The device.
    pub device_id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// `online` or `offline`; a device without a row is `unknown`.
    pub connectivity: String,
    /// The newest session.
    pub session_id: Option<Uuid>,
    /// When the newest session began, or ended where its beginning is not known.
    pub session_at: DateTime<Utc>,
    /// The door of the newest session.
    pub edge: String,
    /// When it last changed between online and offline.
    pub changed_at: DateTime<Utc>,
    /// The newest fact about it.
    pub last_seen_at: DateTime<Utc>,
    /// Why it is offline.
    pub reason: Option<String>,
}

impl Row for ConnectivityRow {
    const TABLE: &'static str = "device_connectivity";
    const KEY: &'static str = "device_id";

    fn key(&self) -> Uuid {
        self.device_id
    }
}
