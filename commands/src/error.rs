//! Errors of command execution, common to all aggregates and processes.

use std::convert::Infallible;

use eventlog::{buckets, secrets, store};

use crate::reference::Reference;

/// The source of an error; its text is not repeated in the message of the error that carries it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a command failed; `E` is the domain's refusal.
#[derive(Debug, thiserror::Error)]
pub enum Error<E = Infallible> {
    /// A domain rule refuses the command. Nothing of this command, or of this step of a process, is stored.
    #[error(transparent)]
    Refused(E),
    /// The command refers to something that does not exist in the organisation or is no longer in use. Nothing is
    /// stored.
    #[error("{0} does not exist or is no longer in use")]
    Missing(Reference),
    /// The aggregate is not at the version that the command was meant for. Nothing is stored.
    #[error("the resource is at version {present} now")]
    Stale {
        /// Its present version.
        present: u64,
    },
    /// Concurrent commands on the same aggregate won every retry. Nothing is stored.
    #[error("too many concurrent changes to the same resource; try again")]
    Conflict,
    /// The log has reached its size limit. Nothing is stored.
    #[error("the log is full")]
    LogFull,
    /// The events of the command are larger than one message of the log may be. Nothing is stored.
    #[error("the change is too large: {bytes} of at most {limit} bytes")]
    TooLarge {
        /// Their size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The log did not confirm the write in time. A repeat with the same command id reveals the outcome.
    #[error("the command may or may not be stored; repeat it with the same id")]
    OutcomeUnknown(#[source] Cause),
    /// The log does not answer. Nothing of this step is stored.
    #[error("the log is unavailable")]
    Unavailable(#[source] Cause),
    /// Something is wrong with stored data, keys or the platform itself.
    #[error("internal error")]
    Internal(#[source] Cause),
}

impl<E> Error<E> {
    /// Translates the refusal and leaves every other error as it is.
    pub fn map_refused<F>(self, translate: impl FnOnce(E) -> F) -> Error<F> {
        match self.into_refusal() {
            Ok(refusal) => Error::Refused(translate(refusal)),
            Err(other) => other,
        }
    }

    /// Returns whether the command is certainly not stored and would be refused again.
    pub fn is_definite(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Missing(_) | Self::Stale { .. } | Self::TooLarge { .. })
    }

    fn into_refusal<F>(self) -> Result<E, Error<F>> {
        Err(match self {
            Self::Refused(refusal) => return Ok(refusal),
            Self::Missing(reference) => Error::Missing(reference),
            Self::Stale { present } => Error::Stale { present },
            Self::Conflict => Error::Conflict,
            Self::LogFull => Error::LogFull,
            Self::TooLarge { bytes, limit } => Error::TooLarge { bytes, limit },
            Self::OutcomeUnknown(source) => Error::OutcomeUnknown(source),
            Self::Unavailable(source) => Error::Unavailable(source),
            Self::Internal(source) => Error::Internal(source),
        })
    }
}

impl<E: std::error::Error + Send + Sync + 'static> Error<E> {
    /// Converts a refusal that the caller does not expect into [`Error::Internal`].
    pub(crate) fn without_refusal<F>(self) -> Error<F> {
        match self.into_refusal() {
            Ok(refusal) => Error::Internal(refusal.into()),
            Err(other) => other,
        }
    }
}

impl Error<Infallible> {
    /// Widens an error that cannot be a refusal.
    pub fn widen<E>(self) -> Error<E> {
        self.map_refused(|never| match never {})
    }
}

impl<E> From<store::Error> for Error<E> {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict { .. } => Self::Conflict,
            store::Error::Full { .. } => Self::LogFull,
            store::Error::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            store::Error::OutcomeUnknown { .. } => Self::OutcomeUnknown(error.into()),
            store::Error::Unavailable { .. } => Self::Unavailable(error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}

impl<E> From<secrets::Error> for Error<E> {
    fn from(error: secrets::Error) -> Self {
        match error {
            secrets::Error::Bucket(buckets::Error::Key(_)) => Self::Internal(error.into()),
            secrets::Error::Bucket(_) => Self::Unavailable(error.into()),
            _ => Self::Internal(error.into()),
        }
    }
}

impl<E> From<certs::Error> for Error<E> {
    fn from(error: certs::Error) -> Self {
        Self::Internal(error.into())
    }
}
