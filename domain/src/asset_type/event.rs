//! Events of an asset type. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::{Combination, DerivedMetric, HealthModel};

use crate::aggregate::domain_event;

/// Events of an asset type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AssetTypeEvent {
    /// The type was defined.
    AssetTypeDefined {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Name of its icon.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// Metrics computed by formulas.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        health_model: Option<HealthModel>,
        /// How values of several devices and of child assets are combined.
        #[serde(default, skip_serializing_if = "Combination::is_empty")]
        combination: Combination,
    },
    /// Its definition was replaced.
    AssetTypeRevised {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Name of its icon.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// Metrics computed by formulas.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        health_model: Option<HealthModel>,
        /// How values of several devices and of child assets are combined.
        #[serde(default, skip_serializing_if = "Combination::is_empty")]
        combination: Combination,
    },
    /// It was retired.
    AssetTypeRetired {},
}

domain_event!(AssetTypeEvent { AssetTypeDefined "1.0", AssetTypeRevised "1.0", AssetTypeRetired "1.0" });
