//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{AlarmCommand, AlarmEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {}

impl Decide for Alarm {
    type Command = AlarmCommand;
    type Event = AlarmEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Alarm, "alarm");
