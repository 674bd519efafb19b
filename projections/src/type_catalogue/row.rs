//! The rows of the type catalogue.

use chrono::{DateTime, Utc};
use domain::asset_type::{Combination, DerivedMetric, HealthModel};
use domain::device_type::MetricDefinition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// A kind of device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceTypeRow {
    /// The type.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// Free text for people.
    pub description: Option<String>,
    /// The metrics it declares.
    pub metrics: Vec<MetricDefinition>,
    /// `keep` or `refuse`.
    pub unknown_metrics: String,
    /// What converts the payloads of its devices.
    pub converter_id: Option<Uuid>,
    /// Whether it is used no more.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for DeviceTypeRow {
    const TABLE: &'static str = "device_types";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// A kind of asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetTypeRow {
    /// The type.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// Free text for people.
    pub description: Option<String>,
    /// Name of its picture.
    pub icon: Option<String>,
    /// Metrics computed from others.
    pub derived_metrics: Vec<DerivedMetric>,
    /// How values come together.
    pub combination: Combination,
    /// How its health is scored.
    pub health_model: Option<HealthModel>,
    /// Whether it is used no more.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for AssetTypeRow {
    const TABLE: &'static str = "asset_types";

    fn key(&self) -> Uuid {
        self.id
    }
}
