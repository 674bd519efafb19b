//! The error type of this crate. A single unreadable message is a `decoded_event::Unreadable`.

use std::path::PathBuf;

use eventlog::Stream;

/// Why a projection or a query failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached.
    #[error("cannot connect to the database")]
    Connect(#[source] sqlx::Error),
    /// A statement of a projection failed.
    #[error("a statement on the read models failed")]
    Statement(#[from] sqlx::Error),
    /// The database did not answer in time.
    #[error("the database did not answer within {0} s")]
    Timeout(u64),
    /// A migration failed.
    #[error("cannot migrate the schema of the read models")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Redis could not be reached or refused.
    #[error("a command on the latest values failed")]
    Redis(#[from] redis::RedisError),
    /// A CA file is configured for a connection without TLS.
    #[error("redis.url must begin with rediss:// where redis.tls_ca_file is set")]
    TlsRequired,
    /// The CA file cannot be read.
    #[error("redis.tls_ca_file {} cannot be read", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row does not have the columns that the code expects.
    #[error("a row of {table} does not have the expected columns")]
    Row {
        /// The table or view.
        table: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The cursor does not belong to the list.
    #[error(transparent)]
    Cursor(#[from] crate::paging::InvalidPageCursor),
    /// An event in the audit log cannot be decoded.
    #[error("an event in the audit log cannot be decoded")]
    Audit(#[source] crate::decoded_event::Unreadable),
    /// A checkpoint cannot be parsed.
    #[error("cannot parse the checkpoint of {name}")]
    Checkpoint {
        /// The projection.
        name: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Another process has moved the checkpoint, or holds the lock.
    #[error("another process has taken over {0}")]
    Fenced(String),
    /// No projection has this name.
    #[error("there is no projection named {0}")]
    UnknownProjection(String),
    /// The log cannot be read.
    #[error("{name} cannot read the log")]
    Log {
        /// The projection.
        name: String,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The state of a stream cannot be read.
    #[error("cannot read the state of stream {stream}")]
    Stream {
        /// The stream.
        stream: Stream,
        /// What is wrong.
        #[source]
        source: eventlog::inspect::Error,
    },
    /// A projection's task panicked.
    #[error("a projection panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

impl Error {
    /// Returns whether stored data is the cause, so that the same statement on other data may succeed.
    pub(crate) fn is_of_data(&self) -> bool {
        let Self::Statement(source) = self else { return false };
        match source {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
            // SQLSTATE classes: data exception, integrity constraint violation, program limit exceeded, internal error.
            source => source
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .is_some_and(|code| ["22", "23", "54", "XX"].iter().any(|class| code.starts_with(class))),
        }
    }

    /// Returns whether PostgreSQL refused the login or a privilege; retrying does not help then.
    pub fn is_refusal(&self) -> bool {
        let source = match self {
            Self::Connect(source) | Self::Statement(source) => source,
            Self::Migrate(sqlx::migrate::MigrateError::Execute(source))
            | Self::Migrate(sqlx::migrate::MigrateError::ExecuteMigration(source, _)) => source,
            _ => return false,
        };
        let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // SQLSTATE class 28 is invalid authorization, 42501 insufficient privilege, 3D000 an unknown database.
        code.is_some_and(|code| code.starts_with("28") || code == "42501" || code == "3D000")
    }
}
