//! Errors: why a device certificate rejects a command.

/// Why a device certificate rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The certificate does not exist.
    #[error("no such certificate")]
    NotFound,
    /// The certificate was already issued.
    #[error("the certificate already exists")]
    AlreadyIssued,
    /// The certificate is already revoked for another reason.
    #[error("the certificate is already revoked")]
    AlreadyRevoked,
    /// The end of validity is not after its start.
    #[error("notAfter must be later than notBefore")]
    InvalidWindow,
}
