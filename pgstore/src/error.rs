//! What can go wrong in the journal and its relay, and what a database error says about an append.

use std::time::Duration;

use eventlog::Stream;
use eventlog::store::{RelayError, SendError};

/// SQLSTATE of a disk that is full.
const DISK_FULL: &str = "53100";
/// SQLSTATE of a unique constraint: two appends of the same aggregate met.
const UNIQUE_VIOLATION: &str = "23505";
/// SQLSTATE of a table or function that is not there.
const NOT_MIGRATED: [&str; 2] = ["42P01", "42883"];
/// SQLSTATE classes of failures that pass: connection, resources, operator intervention, serialisation.
const TRANSIENT: [&str; 4] = ["08", "53", "57", "40"];

/// A failure of the journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the database cannot be read.
    #[error("the address of the database is not postgres://user@host:port/database")]
    Address(#[source] sqlx::Error),
    /// The database is not reached: nothing was asked of it.
    #[error("the event store's database is not reached")]
    Unreachable(#[source] sqlx::Error),
    /// The database refused, or broke off.
    #[error("the event store's database does not answer")]
    Database(#[from] sqlx::Error),
    /// The tables are missing.
    #[error("the event store has no tables: run `argusiq migrate`")]
    NotMigrated(#[source] sqlx::Error),
    /// The database did not answer in time.
    #[error("the event store's database did not answer within {0:?}")]
    TimedOut(Duration),
    /// JetStream is ahead: the database was restored from an older copy, or belongs to another installation.
    #[error("{stream} holds {there} messages, the event store only {here}: restore the newer copy of the database")]
    Behind {
        /// The stream.
        stream: Stream,
        /// Its last sequence in JetStream.
        there: u64,
        /// The last position in the database.
        here: u64,
    },
    /// A message could not be relayed.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// JetStream could not be asked.
    #[error("cannot ask JetStream how far {stream} is")]
    JetStream {
        /// The stream.
        stream: Stream,
        /// The server's answer.
        #[source]
        source: eventlog::inspect::Error,
    },
}

impl Error {
    /// Sorts a database error.
    pub(crate) fn from_sqlx(error: sqlx::Error) -> Self {
        match code(&error) {
            Some(code) if NOT_MIGRATED.contains(&code.as_str()) => Self::NotMigrated(error),
            _ => Self::Database(error),
        }
    }

    /// Tells whether the database answered, so that the connection is as good as before.
    pub(crate) fn keeps_connection_usable(&self) -> bool {
        match self {
            Self::Database(source) | Self::NotMigrated(source) => {
                code(source).is_some_and(|code| !TRANSIENT.iter().any(|class| code.starts_with(class)))
            }
            Self::Behind { .. } | Self::Relay(_) | Self::JetStream { .. } => true,
            Self::Address(_) | Self::Unreachable(_) | Self::TimedOut(_) => false,
        }
    }

    /// Tells whether journal and JetStream do not belong together, which no second try mends.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Relay(RelayError::Differs { .. }))
    }
}

/// Says what an error means for an append that was sent.
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
    fn what_was_sent_and_not_answered_is_in_doubt() {
        assert!(append_error(Error::TimedOut(Duration::from_secs(1))).is_doubtful());
        assert!(append_error(Error::from_sqlx(sqlx::Error::WorkerCrashed)).is_doubtful());
        assert!(!append_error(Error::Unreachable(sqlx::Error::PoolTimedOut)).is_doubtful());
    }

    #[test]
    fn copies_that_do_not_belong_together_are_refused_for_good() {
        let behind = Error::Behind { stream: Stream::Es, there: 9, here: 4 };
        let refused = append_error(behind);
        assert!(!refused.is_transient(), "{refused}");
        assert!(refused.to_string().contains("ES holds 9 messages, the event store only 4"), "{refused}");
    }
}
