//! Users who sign in. Names and e-mail addresses are encrypted with a key per person; passwords never appear in events.

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
