//! Renews the certificate of a device.

use commands::Renewal;
use domain::ids::DeviceId;
use projections::certificate_register::NAME;

use super::issued_certificate::IssuedCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The key, validity and overlap of the new certificate.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct RenewCertificate {
    /// Days, 1 to 3,650, and not beyond the end of the root certificate; defaults to 365.
    #[oai(nullable)]
    validity_days: Option<u32>,
    /// A certificate signing request in PEM (also labelled `NEW CERTIFICATE REQUEST`); if absent, the platform generates
    /// the key.
    #[oai(nullable)]
    csr: Option<String>,
    /// Days for which the current certificates stay valid, 0 to 365; defaults to the organisation's policy.
    #[oai(nullable, validator(maximum(value = "365")))]
    overlap_days: Option<u32>,
    /// Whether the bundle can also be downloaded by a link. Defaults to true.
    #[oai(nullable)]
    download_link: Option<bool>,
}

/// The newly issued certificate.
#[derive(Object)]
struct Renewed {
    certificate: IssuedCertificate,
}

#[OpenApi]
impl Api {
    /// Renew the certificate of a device
    ///
    /// The current certificates stay valid for an overlap, so that the device can switch over; then they are revoked as
    /// superseded.
    #[oai(
        path = "/devices/:id/certificate/renew",
        method = "post",
        tag = "Tag::Devices",
        operation_id = "renewCertificate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<RenewCertificate>,
    ) -> Result<IssuedOnce<Renewed>, Problem> {
        let validity_days = body.0.validity_days.unwrap_or(365);
        let renewal = Renewal { validity_days, csr_pem: body.0.csr, overlap_days: body.0.overlap_days };
        let device = DeviceId(id.0);
        let renewed = state.commands.renew_certificate(&intent.context(&caller), device, renewal).await;
        let renewed =
            renewed.map_err(|error| Problem::from(error).renamed("certificateValidityDays", "validityDays"))?;
        let link = body.0.download_link.unwrap_or(true);
        let certificate = IssuedCertificate::with_link(&state, &caller, device, renewed.certificate, link).await;
        // The private key must reach the caller even if the read model is late, so the result is ignored.
        wait_until_visible(&state, NAME, renewed.receipt).await;
        Ok(IssuedOnce(Renewed { certificate }, renewed.receipt))
    }
}
