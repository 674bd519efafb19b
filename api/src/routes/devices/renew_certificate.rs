//! Issues another certificate for a device.

use commands::Renewal;
use domain::ids::DeviceId;
use projections::certificate_register::NAME;

use super::issued_certificate::IssuedCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// For how long.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct RenewCertificate {
    /// 1 to 3650; 365 by default.
    #[oai(nullable)]
    validity_days: Option<u32>,
    /// A PEM signing request for the key of the new certificate; without one, the key is made here.
    #[oai(nullable)]
    csr: Option<String>,
    /// Days for which the present certificates still hold, 0 to 365; the organisation's choice by default.
    #[oai(nullable)]
    overlap_days: Option<u32>,
    /// Whether the bundle may be fetched by a link too. True by default.
    #[oai(nullable)]
    download_link: Option<bool>,
}

/// The new certificate.
#[derive(Object)]
struct Renewed {
    certificate: IssuedCertificate,
}

#[OpenApi]
impl Api {
    /// Renew the certificate of a device
    ///
    /// The present certificates stay valid for an overlap, so that the device can change over; then they are revoked as
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
        let renewed = state.commands.renew_certificate(&intent.context(&caller), device, renewal).await?;
        let link = body.0.download_link.unwrap_or(true);
        let certificate = IssuedCertificate::with_link(&state, &caller, device, renewed.certificate, link).await;
        // The key must reach the caller even if the read model is late.
        wait_until_visible(&state, NAME, renewed.receipt).await;
        Ok(IssuedOnce(Renewed { certificate }, renewed.receipt))
    }
}
