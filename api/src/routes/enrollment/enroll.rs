//! Enrols a device: exchanges a claim code and a signing request for a certificate.

use super::view::DeviceCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The claim code, and the key to certify.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Enroll {
    /// The claim code, as issued.
    #[oai(validator(max_length = 100))]
    code: String,
    /// The manufacturer's serial number of the device.
    #[oai(validator(max_length = 200))]
    serial_number: String,
    /// A certificate signing request in PEM (PKCS #10, ECDSA P-256 or P-384).
    csr: String,
}

#[OpenApi]
impl Api {
    /// Enrol a device
    ///
    /// Called by devices: instead of a sign-in it needs a claim code issued for this serial number. The code works
    /// once; repeating the same request returns the same certificate, for a device that missed the response.
    #[oai(path = "/enroll", method = "post", tag = "Tag::Enrollment", operation_id = "enroll")]
    async fn call(
        &self,
        state: Data<&State>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<Enroll>,
    ) -> Result<IssuedOnce<DeviceCertificate>, Problem> {
        let Enroll { code, serial_number, csr } = body.0;
        let enrolled = state.commands.enroll(&code, &serial_number, &csr, intent.correlation_id()).await?;
        let receipt = enrolled.receipt;
        let answer = DeviceCertificate::of(&state, enrolled.organization, enrolled.device, enrolled.certificate);
        Ok(IssuedOnce(answer, receipt))
    }
}
