//! Asset profiles: templates from which assets are created.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Definition, entry};
use crate::device_links::first_invalid_mapping;
use crate::ids::{AssetProfileId, AssetTypeId};
use crate::validation;

/// The definition of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Type of the assets created from it.
    pub asset_type_id: AssetTypeId,
    /// Default custom attributes of these assets: a JSON object.
    pub default_attributes: Value,
    /// How health scores of these assets are rated.
    pub health_thresholds: HealthThresholds,
    /// Default metric mappings of links to these assets: `device.<key>` to `asset.<key>`.
    pub telemetry_mappings: BTreeMap<String, String>,
    /// Name of the icon of these assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// Thresholds that rate a health score of 0 to 100 as critical, warning, fair or good. Scores from `warning` to below
/// `good` are fair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthThresholds {
    /// Scores below this value are critical.
    pub critical: u8,
    /// Scores from `critical` to below this value are a warning.
    pub warning: u8,
    /// Scores from this value on are good.
    pub good: u8,
}

impl Default for HealthThresholds {
    fn default() -> Self {
        Self { critical: 30, warning: 60, good: 80 }
    }
}

impl HealthThresholds {
    /// Returns the rating of a score: `critical`, `warning`, `fair` or `good`.
    pub fn status(&self, score: i16) -> &'static str {
        let below = |threshold: u8| score < i16::from(threshold);
        match () {
            () if below(self.critical) => "critical",
            () if below(self.warning) => "warning",
            () if below(self.good) => "fair",
            () => "good",
        }
    }

    fn are_sound(&self) -> bool {
        self.critical < self.warning && self.warning < self.good && self.good <= 100
    }
}

/// The values of a profile that an asset created from it keeps, even if the profile changes later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedProfile {
    /// The profile.
    pub profile_id: AssetProfileId,
    /// How the asset's health scores are rated.
    pub health_thresholds: HealthThresholds,
    /// Default metric mappings of links to the asset.
    pub telemetry_mappings: BTreeMap<String, String>,
    /// Name of its icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// Why a definition is rejected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The attributes are not a JSON object.
    #[error("the default attributes must be a JSON object")]
    InvalidAttributes,
    /// The thresholds are not ascending.
    #[error("the thresholds must be ascending: critical < warning < good, at most 100")]
    InvalidThresholds,
    /// A mapping is not `device.<key>` to `asset.<key>`.
    #[error("mapping {from:?} to {to:?} must be \"device.<key>\" to \"asset.<key>\"")]
    InvalidMapping {
        /// Left side.
        from: String,
        /// Right side.
        to: String,
    },
}

impl Definition for ProfileDefinition {
    const NOUN: &'static str = "asset profile";
    type Event = AssetProfileEvent;
    type Refusal = Refusal;

    fn checked(mut self) -> Result<Self, Refusal> {
        self.name = validation::name(&self.name).ok_or(Refusal::InvalidName)?;
        if !validation::is_json_object(&self.default_attributes) {
            return Err(Refusal::InvalidAttributes);
        }
        if !self.health_thresholds.are_sound() {
            return Err(Refusal::InvalidThresholds);
        }
        match first_invalid_mapping(&self.telemetry_mappings) {
            Some((from, to)) => Err(Refusal::InvalidMapping { from: from.clone(), to: to.clone() }),
            None => Ok(self),
        }
    }
}

impl ProfileDefinition {
    /// Returns the values that an asset created from the profile keeps.
    pub fn applied(&self, profile_id: AssetProfileId) -> AppliedProfile {
        AppliedProfile {
            profile_id,
            health_thresholds: self.health_thresholds,
            telemetry_mappings: self.telemetry_mappings.clone(),
            icon: self.icon.clone(),
        }
    }
}

entry!(
    AssetProfile,
    "asset_profile",
    ProfileDefinition,
    AssetProfileEvent { AssetProfileDefined, AssetProfileRevised, AssetProfileRetired }
);
