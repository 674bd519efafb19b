//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{DeviceLinksCommand, DeviceLinksEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceLinks {}

impl Decide for DeviceLinks {
    type Command = DeviceLinksCommand;
    type Event = DeviceLinksEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(DeviceLinks, "device_links");
