//! Why a projection cannot write or read. What does not live here: refusals of single messages (`fact::Unreadable`).

use std::path::PathBuf;

use eventlog::Stream;

/// Why a projection could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached.
    #[error("cannot connect to the database")]
    Connect(#[source] sqlx::Error),
    /// A statement of a projection failed.
    #[error("a statement on the read models failed")]
    Statement(#[from] sqlx::Error),
    /// The database did not answer.
    #[error("the database did not answer within {0} s")]
    Timeout(u64),
    /// The schema could not be brought up to date.
    #[error("cannot migrate the schema of the read models")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Redis could not be reached or refused.
    #[error("a command on the latest values failed")]
    Redis(#[from] redis::RedisError),
    /// Authorities are named for a connection that has no TLS.
    #[error("redis.url must begin with rediss:// where redis.tls_ca_file is set")]
    TlsRequired,
    /// The certificates of the authorities cannot be read.
    #[error("redis.tls_ca_file {} cannot be read", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row does not have the shape that the code expects.
    #[error("a row of {table} does not have its shape")]
    Row {
        /// The table or view.
        table: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// What a list is to go on from is no cursor in it.
    #[error(transparent)]
    Cursor(#[from] crate::paging::InvalidPageCursor),
    /// An event in the audit log cannot be read again.
    #[error("an event in the audit log cannot be read")]
    Audit(#[source] crate::decoded_event::Unreadable),
    /// A checkpoint cannot be read.
    #[error("the checkpoint of {name} is not readable")]
    Checkpoint {
        /// The projection.
        name: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Somebody else moved the checkpoint.
    #[error("{0} belongs to another process now")]
    Fenced(String),
    /// There is no projection of that name.
    #[error("there is no projection named {0}")]
    UnknownProjection(String),
    /// The log refused or ended.
    #[error("{name} cannot read the log")]
    Log {
        /// The projection.
        name: String,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The state of a stream could not be asked for.
    #[error("cannot ask for the state of stream {stream}")]
    Stream {
        /// The stream.
        stream: Stream,
        /// What is wrong.
        #[source]
        source: eventlog::inspect::Error,
    },
    /// A task of the role ended by a panic.
    #[error("a projection ended by a panic")]
    Panicked(#[source] tokio::task::JoinError),
}

impl Error {
    /// Tells whether PostgreSQL answered and refused: who connects, or what they may do. Waiting does not help then.
    pub fn is_refusal(&self) -> bool {
        let source = match self {
            Self::Connect(source) | Self::Statement(source) => source,
            Self::Migrate(sqlx::migrate::MigrateError::Execute(source))
            | Self::Migrate(sqlx::migrate::MigrateError::ExecuteMigration(source, _)) => source,
            _ => return false,
        };
        let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // Class 28 is authorization, 42501 insufficient privilege, 3D000 an unknown database.
        code.is_some_and(|code| code.starts_with("28") || code == "42501" || code == "3D000")
    }
}
