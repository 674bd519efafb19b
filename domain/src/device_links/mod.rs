//! Which assets a device feeds, and when, so that overlaps are seen. Its id is the device's.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod link;
pub use aggregate::DeviceLinks;
pub(crate) use aggregate::first_wrong_mapping;
pub use command::DeviceLinksCommand;
pub use error::Error;
pub use event::DeviceLinksEvent;
pub use link::{Link, LinkRole};
