//! Commands of an organisation's asset tree; `aggregate` decides on them.

use crate::ids::AssetId;

/// Commands on an organisation's asset tree.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetTreeCommand {
    /// Places an asset below a parent.
    PlaceAsset {
        /// The child asset.
        asset: AssetId,
        /// The parent asset.
        parent: AssetId,
    },
    /// Detaches an asset from its parent, which makes it a root.
    DetachAsset {
        /// The child asset.
        asset: AssetId,
    },
}
