//! Renews the certificate of a device that presents its present one.

use super::peer::Peer;
use super::view::DeviceCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// For which key.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RenewOwn {
    /// A PEM signing request (PKCS #10, ECDSA P-256 or P-384), for the present key or a new one.
    csr: String,
}

#[OpenApi]
impl Api {
    /// Renew one's own certificate
    ///
    /// For devices, on the port that asks for client certificates: the device presents its present certificate, which
    /// then holds for the organisation's overlap. The new one is valid as long as the present one was. The same request
    /// again gets the same certificate.
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
