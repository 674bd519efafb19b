//! Events of an asset. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Location;
use crate::catalogue::asset_profile::AppliedProfile;
use crate::ids::AssetTypeId;
use crate::rule::EntityKind;

use crate::aggregate::domain_event;

/// Events of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AssetEvent {
    /// The asset was registered.
    AssetRegistered {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Its type.
        asset_type_id: AssetTypeId,
        /// Asset or space.
        kind: EntityKind,
        /// Its location.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<Location>,
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// It was created from a profile.
    AssetProfileApplied {
        /// The values taken from the profile.
        #[serde(flatten)]
        applied: AppliedProfile,
    },
    /// It was renamed.
    AssetRenamed {
        /// Its name.
        name: String,
    },
    /// Its description changed.
    AssetDescribed {
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// Its location changed.
    AssetRelocated {
        /// Its location.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<Location>,
    },
    /// Its custom attributes were replaced.
    AssetAttributesChanged {
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// It was taken out of service temporarily; alarms on it and on its descendants are suppressed.
    AssetTakenOutOfService {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// It was returned to service.
    AssetReturnedToService {},
    /// It was retired permanently.
    AssetRetired {
        /// The reason, as entered by the actor.
        reason: String,
    },
}

domain_event!(AssetEvent { AssetRegistered "1.0", AssetRenamed "1.0", AssetDescribed "1.0", AssetRelocated "1.0", AssetAttributesChanged "1.0", AssetRetired "1.0", AssetProfileApplied "1.0", AssetTakenOutOfService "1.0", AssetReturnedToService "1.0" });
