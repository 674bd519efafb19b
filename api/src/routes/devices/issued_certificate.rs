//! A newly issued certificate in responses, with its private key. Stored certificates are in `certificates::view`.

use commands::IssuedCertificate as Issued;
use domain::ids::DeviceId;

use super::view::Device;
use crate::auth::Caller;
use crate::prelude::*;

/// Default validity of a certificate, in days.
pub const USUAL_VALIDITY_DAYS: u32 = 365;

/// A device and its newly issued certificate.
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
    /// PEM (PKCS #8). It is not stored and appears only in this response and in one download of `downloadUrl`. Absent
    /// if the device generated its own key.
    private_key: Option<String>,
    /// The certificate and the organisation's CA certificate, PEM: the chain that the device presents.
    chain: String,
    serial_number: String,
    valid_from: Time,
    valid_until: Time,
    /// Downloads `device.crt`, `device.key`, `ca.crt` and `config.json` as one archive: once, within 15 minutes.
    download_url: Option<String>,
}

versioned!(EquippedDevice, device);

impl IssuedCertificate {
    /// Returns an issued certificate, with a download link if the platform generated its key and `link` is set.
    pub async fn with_link(state: &State, caller: &Caller, device: DeviceId, issued: Issued, link: bool) -> Self {
        let kept = match link {
            true => state.commands.keep_bundle(caller.organization, device, &issued).await,
            false => Ok(None),
        };
        let token = kept.unwrap_or_else(|error| {
            // The private key must reach the caller even without a download link.
            tracing::error!(error = eventlog::error_chain(&error), "cannot keep a certificate bundle for download");
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
