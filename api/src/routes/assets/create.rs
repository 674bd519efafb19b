//! Registers an asset, and places it.

use std::collections::HashMap;

use domain::asset::{Asset, AssetCommand};
use domain::asset_tree::{AssetTree, AssetTreeCommand};
use domain::ids::{AssetId, AssetTypeId};
use poem_openapi::Enum;

use super::view::{AssetResponse, Location, after, find};
use crate::prelude::*;
use crate::routes::attributes::object;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A thing, or the room it is in.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum AssetKind {
    Asset,
    Space,
}

/// A new asset.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateAsset {
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    asset_type_id: Uuid,
    #[oai(default = "asset")]
    kind: AssetKind,
    #[oai(nullable)]
    location: Option<Location>,
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
    /// The asset it is a part of.
    #[oai(nullable)]
    parent_id: Option<Uuid>,
}

fn asset() -> AssetKind {
    AssetKind::Asset
}

#[OpenApi]
impl Api {
    /// Register an asset
    #[oai(path = "/assets", method = "post", tag = "Tag::Assets", operation_id = "createAsset")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteAssets>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateAsset>,
    ) -> Result<Created<AssetResponse>, Problem> {
        let context = intent.context(&caller);
        let id = context.created_id("asset");
        let CreateAsset { name, description, asset_type_id, kind, location, custom_attributes, parent_id } = body.0;
        if let Some(parent) = parent_id {
            let parent = find(&state, &caller, parent).await;
            parent.map_err(|_| Problem::field("parentId", "there is no such asset"))?;
        }
        let command = AssetCommand::RegisterAsset {
            name,
            description,
            asset_type_id: AssetTypeId(asset_type_id),
            kind: match kind {
                AssetKind::Asset => domain::rule::EntityKind::Asset,
                AssetKind::Space => domain::rule::EntityKind::Space,
            },
            location: location.map(Into::into),
            custom_attributes: object(custom_attributes),
        };
        let mut receipt = state.commands.execute::<Asset>(&context.step("register asset"), id, command).await?;
        if let Some(parent) = parent_id {
            let place = AssetTreeCommand::PlaceAsset { asset: AssetId(id), parent: AssetId(parent) };
            let step = context.step("place asset");
            receipt = state.commands.execute::<AssetTree>(&step, caller.organization.0, place).await?;
        }
        Ok(Created(after(&state, &caller, id, receipt).await?, receipt))
    }
}
