//! Commands of an asset type; `aggregate` decides on them.

use super::{Combination, DerivedMetric, HealthModel};

/// Commands on an asset type.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetTypeCommand {
    /// Defines the type.
    DefineAssetType {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// Name of its icon.
        icon: Option<String>,
        /// Metrics computed by formulas.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored, if it is.
        health_model: Option<HealthModel>,
        /// How values of several devices and of child assets are combined.
        combination: Combination,
    },
    /// Replaces its definition.
    ReviseAssetType {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// Name of its icon.
        icon: Option<String>,
        /// Metrics computed by formulas.
        derived_metrics: Vec<DerivedMetric>,
        /// How its health is scored, if it is.
        health_model: Option<HealthModel>,
        /// How values of several devices and of child assets are combined.
        combination: Combination,
    },
    /// Retires it; references to it stay valid.
    RetireAssetType {},
}
