//! Errors: why an organisation's asset tree rejects a command.

use crate::ids::AssetId;

/// Why an organisation's asset tree rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The parent is the asset itself or one of its descendants.
    #[error("asset {asset} cannot be placed below {parent}, which is the asset itself or one of its descendants")]
    Cycle {
        /// The child asset.
        asset: AssetId,
        /// The parent asset.
        parent: AssetId,
    },
}
