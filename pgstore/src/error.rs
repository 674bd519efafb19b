//! The errors of the journal and its relay, and what a database error means for an append.

use std::time::Duration;

use eventlog::Stream;
use eventlog::store::{RelayError, SendError};

/// SQLSTATE of a full disk.
const DISK_FULL: &str = "53100";
/// SQLSTATE of a violated unique constraint: two concurrent appends to the same aggregate.
const UNIQUE_VIOLATION: &str = "23505";
/// SQLSTATEs of a missing table or function.
const NOT_MIGRATED: [&str; 2] = ["42P01", "42883"];
/// SQLSTATE classes of transient failures: connection, resources, operator intervention, serialisation.
const TRANSIENT: [&str; 4] = ["08", "53", "57", "40"];

/// An error of the journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database URL is malformed.
    #[error("the database URL must have the form postgres://user@host:port/database")]
    Address(#[source] sqlx::Error),
    /// The database is unreachable; nothing was sent.
    #[error("the event store's database is unreachable")]
    Unreachable(#[source] sqlx::Error),
    /// The database returned an error, or the connection broke.
    #[error("the event store's database failed")]
    Database(#[from] sqlx::Error),
    /// The tables are missing.
    #[error("the event store's tables are missing: run `argusiq migrate`")]
    NotMigrated(#[source] sqlx::Error),
    /// The database did not answer in time.
    #[error("the event store's database did not answer within {0:?}")]
    TimedOut(Duration),
    /// JetStream is ahead of the journal: the database was restored from an older copy, or belongs to another
    /// installation.
    #[error("{stream} holds {relayed} messages, the event store only {stored}: restore the newer copy of the database")]
    Behind {
        /// The stream.
        stream: Stream,
        /// Its last sequence in JetStream.
        relayed: u64,
        /// The last position in the database.
        stored: u64,
    },
    /// A message could not be relayed.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// JetStream could not be read.
    #[error("cannot read the end of {stream} in JetStream")]
    JetStream {
        /// The stream.
        stream: Stream,
        /// The server's answer.
        #[source]
        source: eventlog::inspect::Error,
    },
}

impl Error {
    /// Classifies a database error.
    pub(crate) fn from_sqlx(error: sqlx::Error) -> Self {
        match code(&error) {
            Some(code) if NOT_MIGRATED.contains(&code.as_str()) => Self::NotMigrated(error),
            _ => Self::Database(error),
        }
    }

    /// Returns whether the connection is still usable, because the database answered properly.
    pub(crate) fn keeps_connection_usable(&self) -> bool {
        match self {
            Self::Database(source) | Self::NotMigrated(source) => {
                code(source).is_some_and(|code| !TRANSIENT.iter().any(|class| code.starts_with(class)))
            }
            Self::Behind { .. } | Self::Relay(_) | Self::JetStream { .. } => true,
            Self::Address(_) | Self::Unreachable(_) | Self::TimedOut(_) => false,
        }
    }

    /// Returns whether the journal and JetStream do not belong together, which no retry can resolve.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Relay(RelayError::Differs { .. }))
    }
}

/// Translates an error of an append that was sent.
pub(crate) fn append_error(error: Error) -> SendError {
    let database = match &error {
        Error::Database(source) | Error::NotMigrated(source) => source,
        Error::Unreachable(_) => return SendError::Disconnected,
        Error::TimedOut(_) => return SendError::Unanswered(error.into()),
        _ => return SendError::Refused { code: 0, description: error.to_string(), transient: !error.is_final() },
    };
    match code(database).as_deref() {
        Some(UNIQUE_VIOLATION) => SendError::WrongLast,
        Some(DISK_FULL) => SendError::Full("the database's disk is full".to_owned()),
        Some(code) => {
            let transient = TRANSIENT.iter().any(|class| code.starts_with(class));
            SendError::Refused { code: 0, description: format!("{error} ({code})"), transient }
        }
        None => SendError::Unanswered(error.into()),
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_without_an_answer_is_doubtful() {
        assert!(append_error(Error::TimedOut(Duration::from_secs(1))).is_doubtful());
        assert!(append_error(Error::from_sqlx(sqlx::Error::WorkerCrashed)).is_doubtful());
        assert!(!append_error(Error::Unreachable(sqlx::Error::PoolTimedOut)).is_doubtful());
    }

    #[test]
    fn a_database_behind_jetstream_is_refused_permanently() {
        let behind = Error::Behind { stream: Stream::Es, relayed: 9, stored: 4 };
        let refused = append_error(behind);
        assert!(!refused.is_transient(), "{refused}");
        assert!(refused.to_string().contains("ES holds 9 messages, the event store only 4"), "{refused}");
    }
}
