//! A certificate as it is given away: once, with its private key. What does not live here: the register of certificates.

use commands::IssuedCertificate as Issued;
use domain::ids::DeviceId;

use super::view::Device;
use crate::auth::Caller;
use crate::prelude::*;

/// How long a certificate is valid if nothing is said, in days.
pub const USUAL_VALIDITY_DAYS: u32 = 365;

/// The device, and what it needs to connect.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct EquippedDevice {
    pub device: Device,
    pub certificate: Option<IssuedCertificate>,
}

/// A certificate with its private key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct IssuedCertificate {
    id: Uuid,
    /// PEM.
    certificate: String,
    /// PEM (PKCS #8). It is not stored: this answer is the only one that has it, beside one download of `downloadUrl`.
    /// Absent where the device has its key itself.
    private_key: Option<String>,
    /// The certificate and its organisation's authority, PEM: what the device presents.
    chain: String,
    serial_number: String,
    valid_from: Time,
    valid_until: Time,
    /// Where `device.crt`, `device.key`, `ca.crt` and `config.json` are fetched as one archive: once, within 15 minutes.
    download_url: Option<String>,
}

versioned!(EquippedDevice, device);

impl IssuedCertificate {
    /// Returns an issued certificate with a link to its bundle, where its key was made here and the link is wanted.
    pub async fn with_link(state: &State, caller: &Caller, device: DeviceId, issued: Issued, link: bool) -> Self {
        let kept = match link {
            true => state.commands.keep_bundle(caller.organization, device, &issued).await,
            false => Ok(None),
        };
        let token = kept.unwrap_or_else(|error| {
            // The key must reach the caller even so.
            tracing::error!(error = crate::error_mapping::chain(&error), "a certificate bundle was not kept");
            None
        });
        let download_url = token.map(|token| format!("/api/v1/devices/{device}/certificate/bundle/{token}"));
        Self { download_url, ..issued.into() }
    }
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
            download_url: None,
        }
    }
}
