//! Why a read model was not rebuilt.

use eventlog::{Stream, consumer, inspect};

/// Why a read model was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log has been trimmed.
    #[error(
        "{name} cannot be rebuilt completely: {stream} begins at {first} and older messages are gone; \
         accept a trimmed log to rebuild it without them"
    )]
    Trimmed {
        /// The read model.
        name: String,
        /// The stream.
        stream: Stream,
        /// The first sequence it holds.
        first: u64,
    },
    /// Another process did not release the read model.
    #[error("another process runs {0} and did not release it within 30 seconds")]
    Busy(String),
    /// Shutdown interrupted the rebuild; the process that runs the read model continues it from its checkpoint.
    #[error("the rebuild of {0} was interrupted; the process that runs it continues from its checkpoint")]
    Interrupted(String),
    /// The state of a stream cannot be read.
    #[error("cannot read the state of {stream}")]
    Stream {
        /// The stream.
        stream: Stream,
        /// The cause.
        #[source]
        source: inspect::Error,
    },
    /// The log cannot be read.
    #[error("{name} cannot read the log")]
    Log {
        /// The read model.
        name: String,
        /// The cause.
        #[source]
        source: consumer::Error,
    },
    /// The read model cannot be written or compared.
    #[error("cannot write or compare a read model")]
    Projection(#[from] projections::Error),
}
