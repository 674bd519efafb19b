//! Commands of an organisation's asset tree; `aggregate` decides on them.

use crate::ids::AssetId;

/// Commands on an organisation's asset tree.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetTreeCommand {
    /// Puts an asset below a parent.
    PlaceAsset {
        /// The child asset.
        asset: AssetId,
        /// The parent asset.
        parent: AssetId,
    },
    /// Makes an asset a root again.
    DetachAsset {
        /// The child asset.
        asset: AssetId,
    },
}
