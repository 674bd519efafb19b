//! Why a read model was not rebuilt.

use eventlog::{Stream, consumer, inspect};

/// Why a read model was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log no longer holds everything.
    #[error(
        "{name} cannot be rebuilt completely: {stream} begins at {first}, what was before is gone from the log; \
         to rebuild it all the same and lose that, accept a trimmed log"
    )]
    Trimmed {
        /// The read model.
        name: String,
        /// The stream.
        stream: Stream,
        /// The first sequence it holds.
        first: u64,
    },
    /// Another process did not give way.
    #[error("{0} is run by another process, which did not give way within 30 seconds")]
    Busy(String),
    /// The shutdown came before the end; the process that runs the read model goes on from where it was left.
    #[error("{0} was interrupted; it is rebuilt further by the process that runs it")]
    Interrupted(String),
    /// The end of a stream could not be learnt.
    #[error("cannot learn what {stream} holds")]
    Stream {
        /// The stream.
        stream: Stream,
        /// Why not.
        #[source]
        source: inspect::Error,
    },
    /// The log could not be read.
    #[error("{name} cannot read the log")]
    Log {
        /// The read model.
        name: String,
        /// Why not.
        #[source]
        source: consumer::Error,
    },
    /// The read model could not be written or compared.
    #[error("a read model could not be written or compared")]
    Projection(#[from] projections::Error),
}
