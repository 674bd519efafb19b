//! Links a device to an asset.

use std::collections::{BTreeMap, HashMap};

use domain::asset::Asset;
use domain::device_links::{DeviceLinks, DeviceLinksCommand};
use domain::ids::{AssetId, LinkId};
use projections::asset_directory::{NAME, read};

use super::view::LinkResponse;
use crate::auth::Caller;
use crate::enums::LinkRole;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// How the device measures the asset.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct LinkAsset {
    /// The port of a device with several.
    #[oai(nullable)]
    port: Option<u16>,
    #[oai(nullable)]
    role: Option<LinkRole>,
    /// Defaults to now.
    #[oai(nullable)]
    valid_from: Option<Time>,
    /// Open-ended if absent.
    #[oai(nullable)]
    valid_until: Option<Time>,
    /// Maps `device.<key>` to `asset.<key>`; other keys keep their names.
    #[oai(nullable)]
    metrics_mapping: Option<HashMap<String, String>>,
}

#[OpenApi]
impl Api {
    /// Link a device to an asset
    #[oai(
        path = "/devices/:deviceId/assets/:assetId/link",
        method = "post",
        tag = "Tag::Links",
        operation_id = "linkAsset"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteLinks>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "deviceId")] device_id: Path<Uuid>,
        #[oai(name = "assetId")] asset_id: Path<Uuid>,
        body: Body<LinkAsset>,
    ) -> Result<Created<LinkResponse>, Problem> {
        let context = intent.context(&caller);
        let id = context.created_id("link");
        let LinkAsset { port, role, valid_from, valid_until, metrics_mapping } = body.0;
        let command = DeviceLinksCommand::LinkAsset {
            link_id: LinkId(id),
            asset_id: AssetId(asset_id.0),
            port,
            role: role.unwrap_or(LinkRole::Primary).into(),
            valid_from: valid_from.map_or_else(|| state.now(), |at| at.0),
            valid_until: valid_until.map(|at| at.0),
            metrics_mapping: match metrics_mapping {
                Some(mapping) => mapping.into_iter().collect::<BTreeMap<_, _>>(),
                None => usual_mapping(&state, &caller, asset_id.0).await?,
            },
        };
        // The missing device or asset is named in the path, so answer 404, not a problem of the body.
        let linked = state.commands.execute::<DeviceLinks>(&context, device_id.0, command).await;
        let receipt = linked.map_err(|error| match error {
            commands::Error::Missing(reference) => Problem::of(Kind::NotFound, format_args!("there is no {reference}")),
            error => error.into(),
        })?;
        let link =
            read_after_write(&state, NAME, (id, receipt), read::link(&state.reader, caller.organization.0, id)).await?;
        Ok(Created(LinkResponse { link: link.into() }, receipt))
    }
}

/// Returns the mapping of the profile that the asset was created from.
async fn usual_mapping(state: &State, caller: &Caller, asset: Uuid) -> Result<BTreeMap<String, String>, Problem> {
    let known = state.commands.load::<Asset>(caller.organization, asset).await.map_err(never_refused)?;
    Ok(known.and_then(|(asset, _)| asset.applied).map(|applied| applied.telemetry_mappings).unwrap_or_default())
}
