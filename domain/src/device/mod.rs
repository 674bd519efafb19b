//! Logical devices, from registration to decommissioning.

mod access;
#[cfg(test)]
mod access_tests;
mod aggregate;
mod claim;
#[cfg(test)]
mod claim_tests;
mod command;
mod error;
mod event;
mod replace;
#[cfg(test)]
mod tests;

pub use access::{DeviceToken, MAX_TOKENS};
pub use aggregate::{Device, DeviceProfile, serial_number_of};
pub use claim::ClaimCode;
pub use command::DeviceCommand;
pub use error::Error;
pub use event::DeviceEvent;
