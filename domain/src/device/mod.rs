//! A logical device from registration to decommissioning.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::{Device, DeviceProfile, serial_number_of};
pub use command::DeviceCommand;
pub use error::Error;
pub use event::DeviceEvent;
