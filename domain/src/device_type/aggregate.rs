//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{DeviceTypeCommand, DeviceTypeEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceType {}

impl Decide for DeviceType {
    type Command = DeviceTypeCommand;
    type Event = DeviceTypeEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(DeviceType, "device_type");
