//! Retires an asset type.

use domain::asset_type::{AssetType, AssetTypeCommand};
use projections::dependents::Referenced;
use projections::type_catalogue::NAME;

use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Retire an asset type
    ///
    /// New assets cannot use it; existing assets keep it.
    #[oai(path = "/asset-types/:id", method = "delete", tag = "Tag::AssetTypes", operation_id = "retireAssetType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        ensure_unused(&state, &caller, Referenced::AssetType, id.0).await?;
        let command = AssetTypeCommand::RetireAssetType {};
        let receipt =
            state.commands.execute_at::<AssetType>(&intent.context(&caller), id.0, command, expected.0).await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
