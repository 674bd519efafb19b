//! Errors: why an organisation rejects a command.

/// Why an organisation rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The organisation does not exist.
    #[error("no such organisation")]
    NotFound,
    /// It was founded before.
    #[error("the organisation already exists")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The overlap of two certificates is absurdly long.
    #[error("certificates overlap for 0 to {most} days, not {days}")]
    InvalidOverlap {
        /// The days asked for.
        days: u32,
        /// The longest overlap.
        most: u32,
    },
    /// The notice before a certificate's end is zero or absurdly long.
    #[error("the end of a certificate is announced 1 to {most} days before, not {days}")]
    InvalidNotice {
        /// The days asked for.
        days: u32,
        /// The longest notice.
        most: u32,
    },
    /// Telemetry cannot be kept so long, or not at all.
    #[error("telemetry is kept for 1 to {most} days, not {days}")]
    InvalidRetention {
        /// The days asked for.
        days: u32,
        /// The longest retention.
        most: u32,
    },
    /// It is suspended.
    #[error("the organisation is suspended")]
    Suspended,
}
