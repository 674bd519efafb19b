//! Errors: why the links of a device reject a command.

use crate::ids::{AssetId, LinkId};

/// Why the links of a device reject a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no open link to the asset.
    #[error("the device is not linked to asset {asset_id}")]
    NotLinked {
        /// The asset.
        asset_id: AssetId,
    },
    /// The device has no link with this id.
    #[error("no such link")]
    NoSuchLink,
    /// The reason is empty or longer than 500 characters.
    #[error("the reason must have 1 to 500 characters")]
    InvalidReason,
    /// Another link to the same asset and port is valid at the same time, or has the same id.
    #[error("the link overlaps link {link_id}")]
    Overlaps {
        /// The other link.
        link_id: LinkId,
    },
    /// The end is not after the start.
    #[error("validUntil must be later than validFrom")]
    InvalidWindow,
    /// A mapping is not `device.<key>` to `asset.<key>`.
    #[error("mapping {from:?} to {to:?} must be \"device.<key>\" to \"asset.<key>\"")]
    InvalidMapping {
        /// Left side.
        from: String,
        /// Right side.
        to: String,
    },
}
