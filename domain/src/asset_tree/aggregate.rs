//! State of an asset tree and its decisions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AssetTreeCommand, AssetTreeEvent, Error};
use crate::aggregate::{Decide, aggregate};
use crate::ids::AssetId;

/// The edges of an organisation's asset tree, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetTree {
    /// The parent of each asset that is not a root.
    pub parents: BTreeMap<AssetId, AssetId>,
}

impl Decide for AssetTree {
    type Command = AssetTreeCommand;
    type Event = AssetTreeEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        match command {
            AssetTreeCommand::PlaceAsset { asset, parent } if self.parents.get(&asset) == Some(&parent) => Ok(vec![]),
            AssetTreeCommand::PlaceAsset { asset, parent } if self.lies_on_or_below(parent, asset) => {
                Err(Error::Cycle { asset, parent })
            }
            AssetTreeCommand::PlaceAsset { asset, parent } => Ok(vec![AssetTreeEvent::AssetPlaced { asset, parent }]),
            AssetTreeCommand::DetachAsset { asset } if self.parents.contains_key(&asset) => {
                Ok(vec![AssetTreeEvent::AssetDetached { asset }])
            }
            AssetTreeCommand::DetachAsset { .. } => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            AssetTreeEvent::AssetPlaced { asset, parent } => self.parents.insert(asset, parent),
            AssetTreeEvent::AssetDetached { asset } => self.parents.remove(&asset),
        };
    }
}

aggregate!(AssetTree, "asset_tree");

impl AssetTree {
    /// Returns whether `part` is `whole` or one of its descendants. The walk ends because the tree never has a cycle.
    fn lies_on_or_below(&self, part: AssetId, whole: AssetId) -> bool {
        std::iter::successors(Some(part), |asset| self.parents.get(asset).copied()).any(|asset| asset == whole)
    }
}
