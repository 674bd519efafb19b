//! Revokes an HTTP token of a device.

use domain::device::{Device, DeviceCommand};
use domain::ids::DeviceTokenId;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Revoke a token of a device
    ///
    /// The token is refused within moments.
    #[oai(
        path = "/devices/:id/tokens/:tokenId",
        method = "delete",
        tag = "Tag::Devices",
        operation_id = "revokeDeviceToken"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        #[oai(name = "tokenId")] token_id: Path<Uuid>,
        /// Why the token is revoked; defaults to `revoked`.
        #[oai(validator(min_length = 1, max_length = 500))]
        reason: Query<Option<String>>,
    ) -> Result<Changed<Success>, Problem> {
        let reason = reason.0.unwrap_or_else(|| "revoked".to_owned());
        let command = DeviceCommand::RevokeDeviceToken { token_id: DeviceTokenId(token_id.0), reason };
        Ok(Success::at(state.commands.execute::<Device>(&intent.context(&caller), id.0, command).await?))
    }
}
