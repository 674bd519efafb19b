//! Changes an asset and its place in the asset tree.

use std::collections::HashMap;

use commands::Receipt;
use domain::asset::{Asset, AssetCommand};
use domain::asset_tree::{AssetTree, AssetTreeCommand};
use domain::ids::AssetId;

use super::view::{AssetResponse, Location, after_write, find};
use crate::prelude::*;
use crate::routes::attributes::object;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The fields to change; omitted fields keep their values.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateAsset {
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// An empty string removes it.
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable)]
    location: Option<Location>,
    /// A number that would lose digits (more than 64 bits, or more than 17 digits) is refused: send it as a text.
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
    /// The new parent asset; the asset's own id removes it from its parent.
    #[oai(nullable)]
    parent_id: Option<Uuid>,
}

impl UpdateAsset {
    fn changes(self) -> Vec<AssetCommand> {
        let name = self.name.map(|name| AssetCommand::RenameAsset { name });
        let description = self
            .description
            .map(|text| AssetCommand::DescribeAsset { description: (!text.is_empty()).then_some(text) });
        let location = self.location.map(|location| AssetCommand::RelocateAsset { location: Some(location.into()) });
        let attributes = self
            .custom_attributes
            .map(|attributes| AssetCommand::ChangeAssetAttributes { custom_attributes: object(Some(attributes)) });
        name.into_iter().chain(description).chain(location).chain(attributes).collect()
    }
}

fn placed(asset: Uuid, parent: Uuid) -> AssetTreeCommand {
    let (asset, parent) = (AssetId(asset), AssetId(parent));
    match asset == parent {
        true => AssetTreeCommand::DetachAsset { asset },
        false => AssetTreeCommand::PlaceAsset { asset, parent },
    }
}

#[OpenApi]
impl Api {
    /// Change an asset
    #[oai(path = "/assets/:id", method = "put", tag = "Tag::Assets", operation_id = "updateAsset")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteAssets>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] mut expected: IfMatch,
        id: Path<Uuid>,
        body: Body<UpdateAsset>,
    ) -> Result<Revised<AssetResponse>, Problem> {
        let present = find(&state, &caller, id.0).await?;
        let (parent, context, mut last) = (body.0.parent_id, intent.context(&caller), None::<Receipt>);
        let changes = body.0.changes();
        if !changes.is_empty() {
            let (step, command) = (context.step("revise"), AssetCommand::ReviseAsset { changes });
            last = Some(state.commands.execute_at::<Asset>(&step, id.0, command, expected.take()).await?);
        }
        // A move changes the tree, which has its own version: if nothing else changes, compare the asset's version
        // here.
        expected.holds(present.row.version)?;
        if let Some(parent) = parent {
            let (step, command) = (context.step("place"), placed(id.0, parent));
            let placed = state.commands.execute::<AssetTree>(&step, caller.organization.0, command).await?;
            // A move to where the asset already is stores nothing: its receipt may be older than the revision's.
            last = last.filter(|revised| revised.position > placed.position).or(Some(placed));
        }
        let response = match last {
            Some(receipt) => after_write(&state, &caller, id.0, receipt).await?,
            None => present.into(),
        };
        Ok(Revised(response, last))
    }
}
