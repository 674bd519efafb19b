//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{AssetCommand, AssetEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asset {}

impl Decide for Asset {
    type Command = AssetCommand;
    type Event = AssetEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Asset, "asset");
