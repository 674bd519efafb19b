//! Links of one device to assets, with their validity windows. One aggregate per device (with its id), so that overlaps
//! can be detected.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod link;
pub use aggregate::DeviceLinks;
pub(crate) use aggregate::first_invalid_mapping;
pub use command::DeviceLinksCommand;
pub use error::Error;
pub use event::DeviceLinksEvent;
pub use link::{Link, LinkRole};
