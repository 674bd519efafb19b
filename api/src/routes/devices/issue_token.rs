//! Issues a token for a device.

use commands::NewDeviceToken;
use domain::ids::DeviceId;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// What it is for, and for how long.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct IssueDeviceToken {
    /// 1 to 100 characters.
    #[oai(nullable)]
    label: Option<String>,
    /// 1 to 3650; 365 by default.
    #[oai(nullable)]
    validity_days: Option<u32>,
}

/// The new token.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Issued {
    id: Uuid,
    /// What the device sends as `Authorization: Bearer …`. It is not stored: this answer is the only one that has it.
    token: Option<String>,
    label: Option<String>,
    expires_at: Time,
}

#[OpenApi]
impl Api {
    /// Issue a token for a device
    ///
    /// For devices that send over HTTP and have no certificate. The platform keeps only a digest.
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
