//! Issues another certificate for a device.

use domain::ids::DeviceId;
use projections::certificate_register::NAME;

use super::issued::IssuedCertificate;
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
    /// The present certificates stay valid, so that the device can change over.
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
    ) -> Result<Created<Renewed>, Problem> {
        let days = body.0.validity_days.unwrap_or(365);
        let renewed = state.commands.renew_certificate(&intent.context(&caller), DeviceId(id.0), days).await?;
        // The key must reach the caller even if the read model is late.
        let _late = visible(&state, NAME, renewed.receipt).await;
        Ok(Created(Renewed { certificate: renewed.certificate.into() }, renewed.receipt))
    }
}
