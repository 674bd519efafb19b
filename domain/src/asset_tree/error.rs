//! Errors: why an organisation's asset tree rejects a command.

use crate::ids::AssetId;

/// Why an organisation's asset tree rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The parent is the asset itself or lies below it.
    #[error("asset {asset} cannot be a part of {parent}, which is a part of it")]
    Cycle {
        /// The child asset.
        asset: AssetId,
        /// The parent asset.
        parent: AssetId,
    },
}
