//! Registers an asset and places it in the asset tree.

use std::collections::HashMap;

use domain::asset::{Asset, AssetCommand};
use domain::asset_tree::{AssetTree, AssetTreeCommand};
use domain::catalogue::AssetProfile;
use domain::catalogue::asset_profile::ProfileDefinition;
use domain::ids::{AssetId, AssetProfileId, AssetTypeId};
use poem_openapi::Enum;

use super::view::{AssetResponse, Location, after_write, find};
use crate::auth::Caller;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::attributes::object;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A physical asset, or a space that contains assets.
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
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    /// Defaults to the type of the profile, if one is given.
    #[oai(nullable)]
    asset_type_id: Option<Uuid>,
    /// Create the asset from this profile: it takes the profile's type, icon, health thresholds and mappings, and those
    /// of its attributes that the request does not set.
    #[oai(nullable)]
    profile_id: Option<Uuid>,
    #[oai(default = "asset")]
    kind: AssetKind,
    #[oai(nullable)]
    location: Option<Location>,
    /// A number that would lose digits (more than 64 bits, or more than 17 digits) is refused: send it as a text.
    #[oai(nullable)]
    custom_attributes: Option<HashMap<String, Value>>,
    /// The parent asset.
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
        let applied = match body.0.profile_id {
            Some(profile) => Some(profile_of(&state, &caller, AssetProfileId(profile)).await?),
            None => None,
        };
        let asset_type_id = type_of(body.0.asset_type_id, applied.as_ref())?;
        let CreateAsset { name, description, kind, location, custom_attributes, parent_id, profile_id, .. } = body.0;
        if let Some(parent) = parent_id {
            // Checked first, so that an unknown parent does not leave an unplaced asset behind.
            let parent = find(&state, &caller, parent).await;
            parent.map_err(|_| Problem::field("parentId", "there is no such asset"))?;
        }
        let command = AssetCommand::RegisterAsset {
            name,
            description,
            asset_type_id,
            kind: match kind {
                AssetKind::Asset => domain::rule::EntityKind::Asset,
                AssetKind::Space => domain::rule::EntityKind::Space,
            },
            location: location.map(Into::into),
            custom_attributes: with_defaults(object(custom_attributes), applied.as_ref()),
            profile: profile_id.map(AssetProfileId).zip(applied).map(|(id, profile)| profile.applied(id)),
        };
        let mut receipt = state.commands.execute::<Asset>(&context.step("register asset"), id, command).await?;
        if let Some(parent) = parent_id {
            let place = AssetTreeCommand::PlaceAsset { asset: AssetId(id), parent: AssetId(parent) };
            let step = context.step("place asset");
            receipt = state.commands.execute::<AssetTree>(&step, caller.organization.0, place).await?;
        }
        Ok(Created(after_write(&state, &caller, id, receipt).await?, receipt))
    }
}

async fn profile_of(state: &State, caller: &Caller, id: AssetProfileId) -> Result<ProfileDefinition, Problem> {
    let known = state.commands.load::<AssetProfile>(caller.organization, id.0).await.map_err(never_refused)?;
    let known = known.map(|(profile, _)| profile).filter(AssetProfile::in_use);
    let missing = || never_refused(commands::Error::Missing(commands::Reference::AssetProfile(id)));
    known.and_then(|profile| profile.definition).ok_or_else(missing)
}

fn type_of(asked: Option<Uuid>, profile: Option<&ProfileDefinition>) -> Result<AssetTypeId, Problem> {
    match (asked.map(AssetTypeId), profile.map(|profile| profile.asset_type_id)) {
        (None, None) => Err(Problem::field("assetTypeId", "is required unless a profile is given")),
        (Some(asked), Some(its)) if asked != its => {
            Err(Problem::field("assetTypeId", format_args!("differs from the profile's type, {its}; leave it out")))
        }
        (Some(one), _) | (None, Some(one)) => Ok(one),
    }
}

fn with_defaults(given: Value, profile: Option<&ProfileDefinition>) -> Value {
    match (profile.map(|profile| profile.default_attributes.clone()), given) {
        (Some(Value::Object(mut attributes)), Value::Object(given)) => {
            attributes.extend(given);
            Value::Object(attributes)
        }
        (_, given) => given,
    }
}
