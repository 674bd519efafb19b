//! What was decided about a message that had been refused: given again, or discarded. The letter itself stands in the
//! dead-letter stream; see `telemetry::DeadLetter`.

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
