//! How rejected messages are settled: resubmitted or discarded. The letters themselves are `telemetry::DeadLetter`
//! messages in the dead-letter stream.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::{Settled, SettledLetter, id_of};
pub use command::SettledLetterCommand;
pub use error::Error;
pub use event::SettledLetterEvent;
