//! Why an organisation's asset tree refuses a command.

use crate::ids::AssetId;

/// Refusals of an organisation's asset tree.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The parent is the asset itself or lies below it.
    #[error("asset {asset} cannot be a part of {parent}, which is a part of it")]
    Cycle {
        /// The part.
        asset: AssetId,
        /// The whole.
        parent: AssetId,
    },
}
