//! What may be asked of an asset. What does not live here: the decision.

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
        /// Free text for people.
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
    /// Gives it another name.
    RenameAsset {
        /// Its name.
        name: String,
    },
    /// Changes its description.
    DescribeAsset {
        /// Free text for people.
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
    /// Several of the changes above, all of them or none.
    ReviseAsset {
        /// Renaming, describing, relocating, changing attributes.
        changes: Vec<AssetCommand>,
    },
    /// Takes it out of service for a time.
    TakeAssetOutOfService {
        /// Why, in the words of who did it.
        reason: String,
    },
    /// Takes it into service again.
    ReturnAssetToService {},
    /// Takes it out of use for good.
    RetireAsset {
        /// Why, in the words of who did it.
        reason: String,
    },
}
