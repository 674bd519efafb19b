//! What may be asked of an asset type. What does not live here: the decision.

use super::{Combination, DerivedMetric, HealthModel};

/// Commands on an asset type.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetTypeCommand {
    /// Adds the type.
    DefineAssetType {
        /// Its name.
        name: String,
        /// Free text for people.
        description: Option<String>,
        /// Name of its picture.
        icon: Option<String>,
        /// Metrics computed from others.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored.
        health_model: Option<HealthModel>,
        /// How values come together.
        combination: Combination,
    },
    /// Replaces its definition.
    ReviseAssetType {
        /// Its name.
        name: String,
        /// Free text for people.
        description: Option<String>,
        /// Name of its picture.
        icon: Option<String>,
        /// Metrics computed from others.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored.
        health_model: Option<HealthModel>,
        /// How values come together.
        combination: Combination,
    },
    /// Ends its use.
    RetireAssetType {},
}
