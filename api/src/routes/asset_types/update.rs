//! Revises an asset type.

use domain::asset_type::{AssetType, AssetTypeCommand, AssetTypeDefinition};

use super::view::{AssetTypeRequest, AssetTypeResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Revise an asset type
    ///
    /// Replaces the whole type; omitted fields are removed.
    #[oai(path = "/asset-types/:id", method = "put", tag = "Tag::AssetTypes", operation_id = "updateAssetType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<AssetTypeRequest>,
    ) -> Result<Revised<AssetTypeResponse>, Problem> {
        let AssetTypeDefinition { name, description, icon, derived_metrics, health_model, combination } =
            body.0.definition();
        let command =
            AssetTypeCommand::ReviseAssetType { name, description, icon, derived_metrics, health_model, combination };
        let receipt =
            state.commands.execute_at::<AssetType>(&intent.context(&caller), id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
