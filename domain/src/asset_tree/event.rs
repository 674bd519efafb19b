//! Events of an organisation's asset tree. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use crate::ids::AssetId;

use crate::aggregate::domain_event;

/// Events of an organisation's asset tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AssetTreeEvent {
    /// The asset was placed below the parent.
    AssetPlaced {
        /// The child asset.
        asset: AssetId,
        /// The parent asset.
        parent: AssetId,
    },
    /// The asset was detached and is now a root.
    AssetDetached {
        /// The child asset.
        asset: AssetId,
    },
}

domain_event!(AssetTreeEvent { AssetPlaced "1.0", AssetDetached "1.0" });
