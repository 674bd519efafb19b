//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{Error, UserCommand, UserEvent};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {}

impl Decide for User {
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(User, "user");
