//! Issues an HTTP token for a device.

use commands::NewDeviceToken;
use domain::ids::DeviceId;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Label and validity of the token.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct IssueDeviceToken {
    /// 1 to 100 characters.
    #[oai(nullable, validator(min_length = 1, max_length = 100))]
    label: Option<String>,
    /// Days, 1 to 3,650; defaults to 365.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "3650")))]
    validity_days: Option<u32>,
}

/// The new token.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Issued {
    id: Uuid,
    /// The token that the device sends as `Authorization: Bearer …`. It is not stored and appears only in this
    /// response.
    token: Option<String>,
    label: Option<String>,
    expires_at: Time,
}

#[OpenApi]
impl Api {
    /// Issue a token for a device
    ///
    /// For devices that send over HTTP without a certificate. The platform stores only a digest.
    #[oai(path = "/devices/:id/tokens", method = "post", tag = "Tag::Devices", operation_id = "issueDeviceToken")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<IssueDeviceToken>,
    ) -> Result<IssuedOnce<Issued>, Problem> {
        let validity_days = body.0.validity_days.unwrap_or(365);
        let new = NewDeviceToken { label: body.0.label, validity_days };
        let issued = state.commands.issue_device_token(&intent.context(&caller), DeviceId(id.0), new).await?;
        let answer = Issued {
            id: issued.id.0,
            token: issued.token.map(|token| token.expose().to_owned()),
            label: issued.label,
            expires_at: issued.expires_at.into(),
        };
        Ok(IssuedOnce(answer, issued.receipt))
    }
}
