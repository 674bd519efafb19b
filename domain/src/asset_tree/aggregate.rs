//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{AssetTreeCommand, AssetTreeEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetTree {}

impl Decide for AssetTree {
    type Command = AssetTreeCommand;
    type Event = AssetTreeEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(AssetTree, "asset_tree");
