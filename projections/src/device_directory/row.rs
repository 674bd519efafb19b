//! The rows of the device directory.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::row_batch::Row;
use crate::sql_values::nearest_time;

/// A device, without its connectivity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// The device.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// A free-text description.
    pub description: Option<String>,
    /// The manufacturer's serial number.
    pub serial_number: String,
    /// Its type.
    pub device_type_id: Uuid,
    /// A JSON object.
    pub custom_attributes: Value,
    /// `active` or `decommissioned`.
    pub status: String,
    /// Why it was decommissioned.
    pub decommission_reason: Option<String>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for DeviceRow {
    const TABLE: &'static str = "devices";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// The connectivity of a device.
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
    /// When the newest session began, or ended if its beginning is unknown.
    #[serde(serialize_with = "nearest_time")]
    pub session_at: DateTime<Utc>,
    /// The edge process of the newest session.
    pub edge: String,
    /// When it last changed between online and offline.
    #[serde(serialize_with = "nearest_time")]
    pub changed_at: DateTime<Utc>,
    /// The time of the newest presence fact.
    #[serde(serialize_with = "nearest_time")]
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
