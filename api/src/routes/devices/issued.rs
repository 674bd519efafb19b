//! A certificate as it is given away: once, with its private key. What does not live here: the register of certificates.

use commands::IssuedCertificate as Issued;

use crate::prelude::*;

/// A certificate with its private key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct IssuedCertificate {
    id: Uuid,
    /// PEM.
    certificate: String,
    /// PEM (PKCS #8). It is not stored: this answer is the only one that has it.
    private_key: Option<String>,
    /// The certificate and its organisation's authority, PEM: what the device presents.
    chain: String,
    serial_number: String,
    valid_from: Time,
    valid_until: Time,
}

impl From<Issued> for IssuedCertificate {
    fn from(issued: Issued) -> Self {
        Self {
            id: issued.id.0,
            certificate: issued.certificate_pem,
            private_key: issued.private_key_pem.map(|key| key.expose().to_owned()),
            chain: issued.chain_pem,
            serial_number: issued.serial_number,
            valid_from: issued.not_before.into(),
            valid_until: issued.not_after.into(),
        }
    }
}
