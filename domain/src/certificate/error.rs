//! Why a device certificate refuses a command.

/// Refusals of a device certificate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such certificate.
    #[error("no such certificate")]
    NotFound,
    /// Issued before.
    #[error("the certificate exists already")]
    AlreadyIssued,
    /// Revoked before.
    #[error("the certificate is revoked already")]
    AlreadyRevoked,
    /// The end of validity is not after its start.
    #[error("notAfter must be later than notBefore")]
    InvalidWindow,
}
