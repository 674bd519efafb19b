//! Commands of an asset; `aggregate` decides on them.

use serde_json::Value;

use super::Location;
use crate::catalogue::asset_profile::AppliedProfile;
use crate::ids::AssetTypeId;
use crate::rule::EntityKind;

/// Commands on an asset.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetCommand {
    /// Adds the asset.
    RegisterAsset {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// Its type.
        asset_type_id: AssetTypeId,
        /// Asset or space.
        kind: EntityKind,
        /// Where it stands.
        location: Option<Location>,
        /// Free attributes: a JSON object.
        custom_attributes: Value,
        /// What it takes over from the profile that it is made from.
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
    /// Notes where it stands.
    RelocateAsset {
        /// Where it stands.
        location: Option<Location>,
    },
    /// Replaces its free attributes.
    ChangeAssetAttributes {
        /// Free attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Applies several of the changes above atomically.
    ReviseAsset {
        /// Renaming, describing, relocating, changing attributes.
        changes: Vec<AssetCommand>,
    },
    /// Takes it out of service for a time.
    TakeAssetOutOfService {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// Takes it into service again.
    ReturnAssetToService {},
    /// Takes it out of use for good.
    RetireAsset {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
}
