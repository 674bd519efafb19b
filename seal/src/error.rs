//! Why a seal could not be created, read or verified.

use std::path::PathBuf;

use crate::statement::SealSyntaxError;

/// A failure to create, read or verify a seal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log could not be read.
    #[error(transparent)]
    Audit(#[from] eventlog::audit::Error),
    /// The installation id could not be read.
    #[error("cannot read the installation id from the log")]
    Installation(#[source] eventlog::buckets::Error),
    /// The log has no installation id yet.
    #[error("the log has no installation id: run `argusiq migrate`")]
    NoInstallation,
    /// Broken hash chains are never sealed.
    #[error("{0} hash chains are broken: see `argusiq audit verify`")]
    BrokenChains(usize),
    /// The root authority could not sign.
    #[error("the root authority cannot sign the seal")]
    Sign(#[source] certs::Error),
    /// A file or folder could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The signature does not match the seal and the root certificate.
    #[error("{0} is not signed by this installation's root authority, or was changed")]
    Signature(PathBuf),
    /// The file is not a seal.
    #[error("{path} is not a seal")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: SealSyntaxError,
    },
    /// The seal belongs to another installation.
    #[error("the seal belongs to installation {sealed}, but this log belongs to {found}")]
    OtherInstallation {
        /// The installation that the seal names.
        sealed: String,
        /// The installation of the log; empty if it has none.
        found: String,
    },
}
