//! Enrols a device: claim code and serial number for a certificate.

use super::view::DeviceCertificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Who enrols, and for which key.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Enroll {
    /// The claim code, as it was handed out.
    #[oai(validator(max_length = 100))]
    code: String,
    /// The maker's serial number of the device.
    #[oai(validator(max_length = 200))]
    serial_number: String,
    /// A PEM signing request (PKCS #10, ECDSA P-256 or P-384).
    csr: String,
}

#[OpenApi]
impl Api {
    /// Enrol a device
    ///
    /// For devices: needs no sign-in, but a claim code that was issued for this serial number. The code is used up; the
    /// same request again gets the same certificate, for a device that missed the answer.
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
