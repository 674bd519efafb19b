//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{ActivityCommand, ActivityEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {}

impl Decide for Activity {
    type Command = ActivityCommand;
    type Event = ActivityEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Activity, "activity");
