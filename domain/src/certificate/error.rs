//! Errors: why a device certificate rejects a command.

/// Why a device certificate rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The certificate does not exist.
    #[error("no such certificate")]
    NotFound,
    /// Issued before.
    #[error("the certificate already exists")]
    AlreadyIssued,
    /// Revoked before.
    #[error("the certificate is revoked already")]
    AlreadyRevoked,
    /// The end of validity is not after its start.
    #[error("notAfter must be later than notBefore")]
    InvalidWindow,
}
