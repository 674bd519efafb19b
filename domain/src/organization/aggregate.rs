//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{Error, OrganizationCommand, OrganizationEvent};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Organization {}

impl Decide for Organization {
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Organization, "organization");
