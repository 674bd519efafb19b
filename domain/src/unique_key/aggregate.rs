//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{Error, UniqueKeyCommand, UniqueKeyEvent};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UniqueKey {}

impl Decide for UniqueKey {
    type Command = UniqueKeyCommand;
    type Event = UniqueKeyEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(UniqueKey, "unique_key");
