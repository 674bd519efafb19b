//! Defines an asset type.

use domain::asset_type::{AssetType, AssetTypeCommand, AssetTypeDefinition};

use super::view::{AssetTypeRequest, AssetTypeResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Define an asset type
    #[oai(path = "/asset-types", method = "post", tag = "Tag::AssetTypes", operation_id = "createAssetType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<AssetTypeRequest>,
    ) -> Result<Created<AssetTypeResponse>, Problem> {
        let context = intent.context(&caller);
        let id = context.created_id("asset type");
        let AssetTypeDefinition { name, description, icon, derived_metrics, health_model, combination } =
            body.0.definition();
        let command =
            AssetTypeCommand::DefineAssetType { name, description, icon, derived_metrics, health_model, combination };
        let receipt = state.commands.execute::<AssetType>(&context, id, command).await?;
        Ok(Created(after_write(&state, &caller, id, receipt).await?, receipt))
    }
}
