//! The error of all CA operations.

use chrono::{DateTime, Utc};

use crate::{csr, identity, master_key, server_names};

/// Why a CA cannot be created or opened, or refuses to sign.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// rcgen cannot create or sign the object.
    #[error("cannot generate a key or sign")]
    Sign(#[source] rcgen::Error),
    /// The random source failed.
    #[error("the cryptographic library failed to generate random bytes")]
    Randomness,
    /// A certificate's PEM cannot be read.
    #[error("not a PEM certificate")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// A CA's own certificate lacks a required field.
    #[error("the CA's certificate is not usable")]
    Certificate(#[source] identity::Error),
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the CA's certificate")]
    KeyMismatch,
    /// Sealing or opening failed.
    #[error("the CA's key cannot be sealed or opened")]
    MasterKey(#[source] master_key::Error),
    /// A validity that is out of range.
    #[error("a certificate is valid for 1 to 3650 days, not {0}")]
    ValidityDays(u32),
    /// The certificate would be valid longer than its issuer.
    #[error("a certificate until {not_after} would outlive its CA, which expires at {authority_not_after}")]
    OutlivesAuthority {
        /// The requested end.
        not_after: DateTime<Utc>,
        /// The end of the CA's validity.
        authority_not_after: DateTime<Utc>,
    },
    /// A time that X.509 cannot express.
    #[error("{0} cannot be written into a certificate")]
    Time(DateTime<Utc>),
    /// A revocation list whose next update is not later than this update.
    #[error("a revocation list's next update must be later than its issue")]
    NextUpdate,
    /// The revocation list's URL is not an HTTP URL in ASCII.
    #[error("the revocation list's URL is not an HTTP URL in ASCII: {0}")]
    CrlUrl(String),
    /// The server's names cannot be used.
    #[error("the server's names cannot be used")]
    ServerNames(#[source] server_names::Error),
    /// The signing request is refused.
    #[error("the signing request is refused")]
    Csr(#[source] csr::Error),
}
