//! What may have happened to an organisation's asset tree, as facts. Stored for ever: add versions, never change one.

use serde::{Deserialize, Serialize};

use crate::ids::AssetId;

use crate::aggregate::domain_event;

/// Events of an organisation's asset tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AssetTreeEvent {
    /// The asset is part of the parent.
    AssetPlaced {
        /// The part.
        asset: AssetId,
        /// The whole.
        parent: AssetId,
    },
    /// The asset is a root.
    AssetDetached {
        /// The part.
        asset: AssetId,
    },
}

domain_event!(AssetTreeEvent { AssetPlaced "1.0", AssetDetached "1.0" });
