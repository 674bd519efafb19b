//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{AssetTypeCommand, AssetTypeEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetType {}

impl Decide for AssetType {
    type Command = AssetTypeCommand;
    type Event = AssetTypeEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(AssetType, "asset_type");
