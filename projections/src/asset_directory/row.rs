//! The rows of the asset directory.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::catalogue::asset_profile::HealthThresholds;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::row_batch::Row;

/// An asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetRow {
    /// The asset.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// Free text for people.
    pub description: Option<String>,
    /// Its type.
    pub asset_type_id: Uuid,
    /// `asset` or `space`.
    pub kind: String,
    /// Degrees north, WGS 84.
    pub latitude: Option<f64>,
    /// Degrees east, WGS 84.
    pub longitude: Option<f64>,
    /// A JSON object.
    pub custom_attributes: Value,
    /// The profile that it was made from.
    pub profile_id: Option<Uuid>,
    /// How its health is judged, where a profile says so.
    pub health_thresholds: Option<HealthThresholds>,
    /// How links to it map metrics where nothing else is said.
    pub telemetry_mappings: Option<BTreeMap<String, String>>,
    /// Name of its picture.
    pub icon: Option<String>,
    /// Whether it is out of service for a time.
    pub out_of_service: bool,
    /// Why.
    pub out_of_service_reason: Option<String>,
    /// Whether it is out of use.
    pub retired: bool,
    /// Why.
    pub retired_reason: Option<String>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for AssetRow {
    const TABLE: &'static str = "assets";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// Which asset an asset is part of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// The part.
    pub asset_id: Uuid,
    /// Their organisation.
    pub organization_id: Uuid,
    /// The whole.
    pub parent_id: Uuid,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for PlaceRow {
    const TABLE: &'static str = "asset_places";
    const KEY: &'static str = "asset_id";

    fn key(&self) -> Uuid {
        self.asset_id
    }
}

/// A link of a device to an asset for a window of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRow {
    /// The link.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The device.
    pub device_id: Uuid,
    /// The asset it feeds.
    pub asset_id: Uuid,
    /// Port of a multi-port device.
    pub port: Option<i32>,
    /// `primary`, `backup` or `secondary`.
    pub role: String,
    /// Start of its validity.
    pub valid_from: DateTime<Utc>,
    /// End of its validity, open when absent.
    pub valid_until: Option<DateTime<Utc>>,
    /// `device.<key>` to `asset.<key>`.
    pub metrics_mapping: BTreeMap<String, String>,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl LinkRow {
    /// Tells whether the link holds at a time.
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.valid_from <= at && self.valid_until.is_none_or(|until| at < until)
    }
}

impl Row for LinkRow {
    const TABLE: &'static str = "asset_links";

    fn key(&self) -> Uuid {
        self.id
    }
}
