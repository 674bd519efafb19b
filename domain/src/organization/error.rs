//! Errors: why an organisation rejects a command.

/// Why an organisation rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The organisation does not exist.
    #[error("no such organisation")]
    NotFound,
    /// The organisation already exists.
    #[error("the organisation already exists")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The overlap is longer than allowed.
    #[error("the certificate overlap must be 0 to {most} days, not {days}")]
    InvalidOverlap {
        /// The requested days.
        days: u32,
        /// The maximum.
        most: u32,
    },
    /// The notice period before expiry is 0 or longer than allowed.
    #[error("the notice period before expiry must be 1 to {most} days, not {days}")]
    InvalidNotice {
        /// The requested days.
        days: u32,
        /// The maximum.
        most: u32,
    },
    /// The retention is 0 or longer than allowed.
    #[error("the telemetry retention must be 1 to {most} days, not {days}")]
    InvalidRetention {
        /// The requested days.
        days: u32,
        /// The maximum.
        most: u32,
    },
    /// The organisation is suspended.
    #[error("the organisation is suspended")]
    Suspended,
}
