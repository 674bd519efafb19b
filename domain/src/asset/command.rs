//! Commands of an asset; `aggregate` decides on them.

use serde_json::Value;

use super::Location;
use crate::catalogue::asset_profile::AppliedProfile;
use crate::ids::AssetTypeId;
use crate::rule::EntityKind;

/// Commands on an asset.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetCommand {
    /// Registers the asset.
    RegisterAsset {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// Its type.
        asset_type_id: AssetTypeId,
        /// Asset or space.
        kind: EntityKind,
        /// Its location.
        location: Option<Location>,
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
        /// The values taken from the profile that it is created from.
        profile: Option<AppliedProfile>,
    },
    /// Renames it.
    RenameAsset {
        /// Its name.
        name: String,
    },
    /// Changes its description.
    DescribeAsset {
        /// Free-text description.
        description: Option<String>,
    },
    /// Changes its location.
    RelocateAsset {
        /// Its location.
        location: Option<Location>,
    },
    /// Replaces its custom attributes.
    ChangeAssetAttributes {
        /// Custom attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Applies several of the changes above atomically.
    ReviseAsset {
        /// Renaming, describing, relocating and changing attributes; other commands have no effect here.
        changes: Vec<AssetCommand>,
    },
    /// Takes it out of service temporarily.
    TakeAssetOutOfService {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Returns it to service.
    ReturnAssetToService {},
    /// Retires it permanently.
    RetireAsset {
        /// The reason, as entered by the actor.
        reason: String,
    },
}
