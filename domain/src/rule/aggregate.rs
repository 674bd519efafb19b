//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{Error, RuleCommand, RuleEvent};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {}

impl Decide for Rule {
    type Command = RuleCommand;
    type Event = RuleEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Rule, "rule");
