//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{DeviceCommand, DeviceEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {}

impl Decide for Device {
    type Command = DeviceCommand;
    type Event = DeviceEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Device, "device");
