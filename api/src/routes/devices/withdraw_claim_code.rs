//! Withdraws an unused claim code.

use domain::ids::DeviceId;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Withdraw the claim code of a device
    #[oai(
        path = "/devices/:id/claim-code",
        method = "delete",
        tag = "Tag::Devices",
        operation_id = "withdrawClaimCode"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        let receipt = state.commands.withdraw_claim_code(&intent.context(&caller), DeviceId(id.0)).await?;
        Ok(Success::at(receipt))
    }
}
