//! Alarms: each is one episode of a rule's breach on one entity, with states as in ISA-18.2.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod breach;
mod state;
pub use aggregate::Alarm;
pub use breach::Breach;
pub use command::AlarmCommand;
pub use error::Error;
pub use event::AlarmEvent;
pub use state::AlarmState;
