//! Profiles that assets are made from.

use std::collections::HashMap;

use domain::catalogue::asset_profile::{HealthThresholds as Thresholds, ProfileDefinition};
use domain::ids::AssetTypeId;
use projections::catalogue::EntryRow;

use super::{CatalogueEntry, define, find, list, retire, revise};
use crate::etag::Versioned;
use crate::prelude::*;
use crate::routes::assets::view::HealthThresholds;
use crate::routes::attributes::object;

/// The endpoints.
#[derive(Default)]
pub struct Api;

/// What a profile says.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AssetProfileRequest {
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    /// The type of the assets made from it.
    asset_type_id: Uuid,
    /// Their custom attributes where nothing else is said.
    #[oai(nullable)]
    default_attributes: Option<HashMap<String, Value>>,
    /// 30, 60 and 80 where nothing is said.
    #[oai(nullable)]
    default_health_thresholds: Option<HealthThresholds>,
    /// `device.<key>` to `asset.<key>`: how links to them map metrics where nothing else is said.
    #[oai(nullable)]
    telemetry_mappings: Option<HashMap<String, String>>,
    #[oai(nullable)]
    icon: Option<String>,
}

/// A profile.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct AssetProfile {
    #[oai(flatten)]
    entry: CatalogueEntry,
    name: String,
    description: Option<String>,
    asset_type_id: Uuid,
    default_attributes: Value,
    default_health_thresholds: HealthThresholds,
    telemetry_mappings: HashMap<String, String>,
    icon: Option<String>,
}

/// One of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct AssetProfileResponse {
    asset_profile: AssetProfile,
}

impl Versioned for AssetProfileResponse {
    fn version(&self) -> i64 {
        self.asset_profile.entry.version
    }
}

impl From<AssetProfileRequest> for ProfileDefinition {
    fn from(request: AssetProfileRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            asset_type_id: AssetTypeId(request.asset_type_id),
            default_attributes: object(request.default_attributes),
            health_thresholds: request.default_health_thresholds.map_or_else(Thresholds::default, Into::into),
            telemetry_mappings: request.telemetry_mappings.unwrap_or_default().into_iter().collect(),
            icon: request.icon,
        }
    }
}

impl From<EntryRow<ProfileDefinition>> for AssetProfile {
    fn from(row: EntryRow<ProfileDefinition>) -> Self {
        let (entry, profile) = (CatalogueEntry::from(&row), row.definition);
        Self {
            entry,
            name: profile.name,
            description: profile.description,
            asset_type_id: profile.asset_type_id.0,
            default_attributes: profile.default_attributes,
            default_health_thresholds: profile.health_thresholds.into(),
            telemetry_mappings: profile.telemetry_mappings.into_iter().collect(),
            icon: profile.icon,
        }
    }
}

impl From<EntryRow<ProfileDefinition>> for AssetProfileResponse {
    fn from(row: EntryRow<ProfileDefinition>) -> Self {
        Self { asset_profile: row.into() }
    }
}

/// Some of them.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AssetProfiles {
    asset_profiles: Vec<AssetProfile>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// Define an asset profile
    #[oai(path = "/asset-profiles", method = "post", tag = "Tag::AssetProfiles", operation_id = "createAssetProfile")]
    async fn create(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<AssetProfileRequest>,
    ) -> Result<Created<AssetProfileResponse>, Problem> {
        let (row, receipt) = define(&state, &caller, &intent, ProfileDefinition::from(body.0)).await?;
        Ok(Created(AssetProfileResponse::from(row), receipt))
    }

    /// Show an asset profile
    #[oai(path = "/asset-profiles/:id", method = "get", tag = "Tag::AssetProfiles", operation_id = "getAssetProfile")]
    async fn get(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<AssetProfileResponse>, Problem> {
        Ok(Fetched(find::<ProfileDefinition>(&state, &caller, id.0).await?.into()))
    }

    /// List asset profiles
    #[oai(path = "/asset-profiles", method = "get", tag = "Tag::AssetProfiles", operation_id = "listAssetProfiles")]
    async fn list(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Retired ones too.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<AssetProfiles>, Problem> {
        let page = list::<ProfileDefinition>(&state, &caller, retired, paging(limit, offset, &cursor)?).await?;
        let page = page.map(AssetProfile::from);
        Ok(Json(AssetProfiles { asset_profiles: page.items, total: page.total, next_cursor: next_cursor(page.next) }))
    }

    /// Revise an asset profile
    ///
    /// Takes the whole of it; what is left out is gone.
    #[oai(
        path = "/asset-profiles/:id",
        method = "put",
        tag = "Tag::AssetProfiles",
        operation_id = "updateAssetProfile"
    )]
    async fn update(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<AssetProfileRequest>,
    ) -> Result<Revised<AssetProfileResponse>, Problem> {
        let (row, receipt) =
            revise(&state, &caller, (&intent, expected), id.0, ProfileDefinition::from(body.0)).await?;
        Ok(Revised(row.into(), receipt))
    }

    /// Retire an asset profile
    ///
    /// Assets that were made from it keep what they took over.
    #[oai(
        path = "/asset-profiles/:id",
        method = "delete",
        tag = "Tag::AssetProfiles",
        operation_id = "retireAssetProfile"
    )]
    async fn retire(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        retire::<ProfileDefinition>(&state, &caller, (&intent, expected), id.0).await
    }
}
