//! The rows of the asset directory.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::catalogue::asset_profile::HealthThresholds;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::row_batch::Row;
use crate::sql_values::{nearest_time, nearest_time_or_null};

/// An asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetRow {
    /// The asset.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// A free-text description.
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
    /// The profile that it was created from.
    pub profile_id: Option<Uuid>,
    /// The health thresholds of its profile, if any.
    pub health_thresholds: Option<HealthThresholds>,
    /// The default metric mapping of links to it.
    pub telemetry_mappings: Option<BTreeMap<String, String>>,
    /// The name of its icon.
    pub icon: Option<String>,
    /// Whether it is temporarily out of service.
    pub out_of_service: bool,
    /// Why it is out of service.
    pub out_of_service_reason: Option<String>,
    /// Whether it is retired.
    pub retired: bool,
    /// Why it was retired.
    pub retired_reason: Option<String>,
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

impl Row for AssetRow {
    const TABLE: &'static str = "assets";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// An asset's place in the asset tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// The asset.
    pub asset_id: Uuid,
    /// Their organisation.
    pub organization_id: Uuid,
    /// Its parent.
    pub parent_id: Uuid,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for PlaceRow {
    const TABLE: &'static str = "asset_places";
    const KEY: &'static str = "asset_id";

    fn key(&self) -> Uuid {
        self.asset_id
    }
}

/// A link of a device to an asset, valid for a period.
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
    #[serde(serialize_with = "nearest_time")]
    pub valid_from: DateTime<Utc>,
    /// End of its validity, open when absent.
    #[serde(serialize_with = "nearest_time_or_null")]
    pub valid_until: Option<DateTime<Utc>>,
    /// `device.<key>` to `asset.<key>`.
    pub metrics_mapping: BTreeMap<String, String>,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl LinkRow {
    /// Returns whether the link is valid at a time.
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
