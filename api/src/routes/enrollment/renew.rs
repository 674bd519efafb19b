//! Renews the certificate of a device that presents its current one.

use super::peer::Peer;
use super::view::DeviceCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The key to certify.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RenewOwn {
    /// A certificate signing request in PEM (PKCS #10, ECDSA P-256 or P-384), for the current key or a new one.
    csr: String,
}

#[OpenApi]
impl Api {
    /// Renew the device's certificate
    ///
    /// Called by devices, on the port that requires client certificates. The presented certificate stays valid for the
    /// organisation's overlap. The new one has the same validity period. Repeating the same request returns the same
    /// certificate.
    #[oai(path = "/enroll/renew", method = "post", tag = "Tag::Enrollment", operation_id = "renewOwnCertificate")]
    async fn call(
        &self,
        state: Data<&State>,
        request: &poem::Request,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<RenewOwn>,
    ) -> Result<IssuedOnce<DeviceCertificate>, Problem> {
        let presented = state.commands.authenticate_device(Peer::chain(request)?).await?;
        let renewed = state.commands.renew_by_certificate(&presented, &body.0.csr, intent.correlation_id()).await?;
        let answer = DeviceCertificate::of(&state, presented.organization, presented.device, renewed.certificate);
        Ok(IssuedOnce(answer, renewed.receipt))
    }
}
