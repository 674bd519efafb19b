//! Retires an asset.

use domain::asset::{Asset, AssetCommand};
use projections::asset_directory::NAME;
use projections::dependents::Referenced;

use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Retire an asset
    ///
    /// Its history is kept.
    #[oai(path = "/assets/:id", method = "delete", tag = "Tag::Assets", operation_id = "retireAsset")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteAssets>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        /// Why the asset is retired.
        reason: Query<Option<String>>,
    ) -> Result<Changed<Success>, Problem> {
        ensure_unused(&state, &caller, Referenced::Asset, id.0).await?;
        let command = AssetCommand::RetireAsset { reason: reason.0.unwrap_or_default() };
        let receipt = state.commands.execute_at::<Asset>(&intent.context(&caller), id.0, command, expected.0).await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
