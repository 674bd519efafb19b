//! Issues a claim code for a device.

use domain::ids::DeviceId;

use crate::prelude::*;

/// Default validity of a claim code, in hours.
pub const USUAL_VALIDITY_HOURS: u32 = 72;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The validity of the code.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct IssueClaimCode {
    /// Hours, 1 to 2,160; defaults to 72.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "2160")))]
    validity_hours: Option<u32>,
}

/// A new claim code.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ClaimCode {
    id: Uuid,
    /// The code that the device sends to `POST /enroll`. It is not stored and appears only in this response.
    code: Option<String>,
    serial_number: String,
    expires_at: Time,
}

#[OpenApi]
impl Api {
    /// Issue a claim code for a device
    ///
    /// The device enrols with it once: it sends code, serial number and a signing request, and gets a certificate for
    /// its own key. Issuing a code invalidates the previous one. The platform stores only a digest.
    #[oai(path = "/devices/:id/claim-code", method = "post", tag = "Tag::Devices", operation_id = "issueClaimCode")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<IssueClaimCode>,
    ) -> Result<IssuedOnce<ClaimCode>, Problem> {
        let hours = body.0.validity_hours.unwrap_or(USUAL_VALIDITY_HOURS);
        let issued = state.commands.issue_claim_code(&intent.context(&caller), DeviceId(id.0), hours).await?;
        let answer = ClaimCode {
            id: issued.id.0,
            code: issued.code.map(|code| code.expose().to_owned()),
            serial_number: issued.serial_number,
            expires_at: issued.expires_at.into(),
        };
        Ok(IssuedOnce(answer, issued.receipt))
    }
}
