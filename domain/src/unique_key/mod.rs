//! Reservations of values that must be unique, such as serial numbers and e-mail addresses, each for one holder.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod kind;
pub use aggregate::{Holder, UniqueKey};
pub use command::UniqueKeyCommand;
pub use error::Error;
pub use event::UniqueKeyEvent;
pub use kind::KeyKind;
