//! Why processing ends.

use eventlog::{buckets, consumer, follow, members};

/// What stops the process.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A bucket cannot be opened.
    #[error("cannot open a bucket of the stages")]
    Bucket(#[source] buckets::Error),
    /// The process cannot join the owners of partitions.
    #[error("cannot join the members")]
    Join(#[source] members::Error),
    /// The directory cannot be folded.
    #[error("cannot fold the domain stream")]
    Directory(#[source] follow::Error),
    /// A stage cannot go on.
    #[error("stage {stage} cannot go on")]
    Stage {
        /// Its name.
        stage: &'static str,
        /// Why.
        #[source]
        source: consumer::Error,
    },
    /// A stage panicked.
    #[error("a stage has died")]
    Died(#[source] tokio::task::JoinError),
}
