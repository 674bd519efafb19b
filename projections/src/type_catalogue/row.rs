//! The rows of the type catalogue.

use chrono::{DateTime, Utc};
use domain::asset_type::{Combination, DerivedMetric, HealthModel};
use domain::device_type::MetricDefinition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// A device type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceTypeRow {
    /// The type.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// A free-text description.
    pub description: Option<String>,
    /// The metrics it declares.
    pub metrics: Vec<MetricDefinition>,
    /// `keep` or `refuse`.
    pub unknown_metrics: String,
    /// The protocol converter of its devices' payloads.
    pub converter_id: Option<Uuid>,
    /// Whether it is retired.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for DeviceTypeRow {
    const TABLE: &'static str = "device_types";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// An asset type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetTypeRow {
    /// The type.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// A free-text description.
    pub description: Option<String>,
    /// The name of its icon.
    pub icon: Option<String>,
    /// Metrics computed from other metrics.
    pub derived_metrics: Vec<DerivedMetric>,
    /// How the values of several devices are combined.
    pub combination: Combination,
    /// The model that scores its health.
    pub health_model: Option<HealthModel>,
    /// Whether it is retired.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for AssetTypeRow {
    const TABLE: &'static str = "asset_types";

    fn key(&self) -> Uuid {
        self.id
    }
}
