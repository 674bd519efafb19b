//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{ActivityTemplateCommand, ActivityTemplateEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivityTemplate {}

impl Decide for ActivityTemplate {
    type Command = ActivityTemplateCommand;
    type Event = ActivityTemplateEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(ActivityTemplate, "activity_template");
