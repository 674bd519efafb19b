//! What may be asked of an organisation's asset tree. What does not live here: the decision.

use crate::ids::AssetId;

/// Commands on an organisation's asset tree.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetTreeCommand {
    /// Puts an asset below a parent.
    PlaceAsset {
        /// The part.
        asset: AssetId,
        /// The whole.
        parent: AssetId,
    },
    /// Makes an asset a root again.
    DetachAsset {
        /// The part.
        asset: AssetId,
    },
}
