//! Why a published message is not known to be stored: failures shared by [`crate::publisher`] and [`crate::writer`].

use crate::send::SendError;
use crate::streams::Stream;

/// Why a message is not known to be stored.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The stream is full; the message was not stored.
    #[error("stream {0} is full")]
    Full(Stream),
    /// The message exceeds the server's size limit; it was not stored.
    #[error("a message of {bytes} bytes for {subject} exceeds the server's limit")]
    TooLarge {
        /// The full subject.
        subject: String,
        /// The payload's size.
        bytes: usize,
    },
    /// The server refused the message, or did not acknowledge it before the deadline.
    #[error("no acknowledgement for a message to {subject}")]
    Unacknowledged {
        /// The full subject.
        subject: String,
        /// `Some(false)`: the message was certainly not stored. `None`: unknown, since an attempt went unanswered.
        stored: Option<bool>,
        /// The last answer.
        #[source]
        source: SendError,
    },
}

impl PublishError {
    /// Classifies the answer to the last attempt. `doubtful` says whether this or an earlier attempt may have been
    /// stored without an acknowledgement.
    pub(crate) fn new(stream: Stream, subject: &str, bytes: usize, doubtful: bool, answer: SendError) -> Self {
        let subject = subject.to_owned();
        match answer {
            // After a doubtful attempt a full stream may already hold the message.
            SendError::Full(_) if !doubtful => Self::Full(stream),
            SendError::TooLarge => Self::TooLarge { subject, bytes },
            source => Self::Unacknowledged { subject, stored: if doubtful { None } else { Some(false) }, source },
        }
    }
}
