//! Profiles of assets: what an asset that is made from one begins with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Definition, entry};
use crate::device_links::first_invalid_mapping;
use crate::ids::{AssetProfileId, AssetTypeId};
use crate::validation;

/// What a profile says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Type of the assets made from it.
    pub asset_type_id: AssetTypeId,
    /// Their free attributes, where nothing else is said: a JSON object.
    pub default_attributes: Value,
    /// How their health is judged.
    pub health_thresholds: HealthThresholds,
    /// How links to them map metrics, where nothing else is said: `device.<key>` to `asset.<key>`.
    pub telemetry_mappings: BTreeMap<String, String>,
    /// Name of their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// Which scores of health, 0 to 100, are called what: below `critical` it is that, below `warning` that, from `good` on
/// good, and between fair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthThresholds {
    /// Scores below are critical.
    pub critical: u8,
    /// Scores below, that are not critical, are a warning.
    pub warning: u8,
    /// Scores from here on are good.
    pub good: u8,
}

impl Default for HealthThresholds {
    fn default() -> Self {
        Self { critical: 30, warning: 60, good: 80 }
    }
}

impl HealthThresholds {
    /// Returns what a score of 0 to 100 is called.
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

/// What of a profile an asset that was made from it keeps, also when the profile changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedProfile {
    /// The profile.
    pub profile_id: AssetProfileId,
    /// How the asset's health is judged.
    pub health_thresholds: HealthThresholds,
    /// How links to it map metrics, where nothing else is said.
    pub telemetry_mappings: BTreeMap<String, String>,
    /// Name of its icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// Why a profile is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The attributes are not a JSON object.
    #[error("the default attributes must be a JSON object")]
    InvalidAttributes,
    /// The thresholds do not ascend.
    #[error("the thresholds must ascend: critical < warning < good, at most 100")]
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
    /// Returns what an asset that is made from it keeps.
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
