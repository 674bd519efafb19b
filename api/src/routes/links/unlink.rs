//! Unlinks a device from an asset.

use domain::device_links::{DeviceLinks, DeviceLinksCommand};
use domain::ids::AssetId;
use projections::asset_directory::NAME;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Unlink a device from an asset
    ///
    /// Ends their links now; values measured until now stay with the asset.
    #[oai(
        path = "/devices/:deviceId/assets/:assetId/unlink",
        method = "delete",
        tag = "Tag::Links",
        operation_id = "unlinkAsset"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteLinks>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "deviceId")] device_id: Path<Uuid>,
        #[oai(name = "assetId")] asset_id: Path<Uuid>,
        /// Only the link of this port.
        port: Query<Option<u16>>,
    ) -> Result<Changed<Success>, Problem> {
        let at = state.now();
        let command = DeviceLinksCommand::UnlinkAsset { asset_id: AssetId(asset_id.0), port: port.0, at };
        let receipt = state.commands.execute::<DeviceLinks>(&intent.context(&caller), device_id.0, command).await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
