//! A person who signs in. Name and address are sealed per person; the password is never an event.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod role;
pub use aggregate::{Profile, User};
pub use command::UserCommand;
pub use error::Error;
pub use event::UserEvent;
pub use role::AccessRole;
