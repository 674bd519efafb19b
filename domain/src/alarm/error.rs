//! Why an alarm refuses a command.

/// Refusals of an alarm.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such alarm.
    #[error("no such alarm")]
    NotFound,
    /// Another breach has this id.
    #[error("the alarm exists already")]
    AlreadyRaised,
}
