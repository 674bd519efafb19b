//! What may have happened to an asset type, as facts. Stored for ever: add versions, never change one.

use serde::{Deserialize, Serialize};

use super::{Combination, DerivedMetric, HealthModel};

use crate::aggregate::domain_event;

/// Events of an asset type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AssetTypeEvent {
    /// The type was added.
    AssetTypeDefined {
        /// Its name.
        name: String,
        /// Free text for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Name of its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// Metrics computed from others.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        health_model: Option<HealthModel>,
        /// How values come together.
        #[serde(default, skip_serializing_if = "Combination::is_empty")]
        combination: Combination,
    },
    /// Its definition was replaced.
    AssetTypeRevised {
        /// Its name.
        name: String,
        /// Free text for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Name of its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// Metrics computed from others.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        health_model: Option<HealthModel>,
        /// How values come together.
        #[serde(default, skip_serializing_if = "Combination::is_empty")]
        combination: Combination,
    },
    /// It is used no more.
    AssetTypeRetired {},
}

domain_event!(AssetTypeEvent { AssetTypeDefined "1.0", AssetTypeRevised "1.0", AssetTypeRetired "1.0" });
