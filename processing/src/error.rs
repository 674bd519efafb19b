//! The errors that end the processing role.

use eventlog::{buckets, consumer, follow, members};

/// Why the role ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket for stage state cannot be opened.
    #[error("cannot open the bucket for stage state")]
    Bucket(#[source] buckets::Error),
    /// The process cannot join the owners of partitions.
    #[error("cannot join the membership")]
    Join(#[source] members::Error),
    /// The directory cannot be folded.
    #[error("cannot fold the domain stream")]
    Directory(#[source] follow::Error),
    /// A stage failed and restarting it cannot help.
    #[error("stage {stage} failed")]
    Stage {
        /// The stage's name.
        stage: &'static str,
        /// The cause.
        #[source]
        source: consumer::Error,
    },
    /// A stage panicked.
    #[error("a stage panicked")]
    Died(#[source] tokio::task::JoinError),
}
