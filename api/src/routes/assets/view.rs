//! Assets in responses.

use std::collections::HashMap;

use commands::Receipt;
use domain::catalogue::asset_profile;
use projections::asset_directory::{NAME, read};

use crate::auth::Caller;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// A place on Earth (WGS 84).
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct Location {
    #[oai(validator(minimum(value = "-90"), maximum(value = "90")))]
    latitude: f64,
    #[oai(validator(minimum(value = "-180"), maximum(value = "180")))]
    longitude: f64,
}

/// Names for ranges of the health score: below `critical` it is critical, below `warning` warning, from `good` on good,
/// and otherwise fair.
#[derive(Clone, Copy, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct HealthThresholds {
    critical: u8,
    warning: u8,
    good: u8,
}

impl From<HealthThresholds> for asset_profile::HealthThresholds {
    fn from(HealthThresholds { critical, warning, good }: HealthThresholds) -> Self {
        Self { critical, warning, good }
    }
}

impl From<asset_profile::HealthThresholds> for HealthThresholds {
    fn from(thresholds: asset_profile::HealthThresholds) -> Self {
        let asset_profile::HealthThresholds { critical, warning, good } = thresholds;
        Self { critical, warning, good }
    }
}

/// An asset.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Asset {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    description: Option<String>,
    asset_type_id: Uuid,
    asset_type_name: Option<String>,
    /// `asset` or `space`.
    kind: String,
    parent_id: Option<Uuid>,
    location: Option<Location>,
    custom_attributes: Value,
    /// The profile that the asset was created from.
    profile_id: Option<Uuid>,
    /// Name of its icon.
    icon: Option<String>,
    /// Default mapping of the metrics of linked devices, used by links without a mapping of their own.
    telemetry_mappings: Option<HashMap<String, String>>,
    health_thresholds: HealthThresholds,
    /// Health score, 0 to 100; absent until first scored.
    health_score: Option<i16>,
    /// `critical`, `warning`, `fair` or `good`, by the thresholds; absent until first scored.
    health_status: Option<String>,
    health_score_updated_at: Option<Time>,
    /// Version of the model that computed the score: the log position of its definition, as in the history of the asset
    /// type. It changes only when the score changes, even if the model was revised since.
    health_score_computed_by: Option<i64>,
    /// Version of the formula that computed the score; absent for scores from before it was recorded.
    health_score_formula_version: Option<i32>,
    /// This count and the next are absent with `asOf`.
    linked_devices_count: Option<i64>,
    active_alarms_count: Option<i64>,
    /// Whether the asset and everything below it are out of service.
    out_of_service: bool,
    out_of_service_reason: Option<String>,
    retired: bool,
    retired_reason: Option<String>,
    created_at: Time,
    created_by: String,
    updated_at: Time,
    version: i64,
}

/// One asset.
#[derive(Debug, Object)]
pub struct AssetResponse {
    asset: Asset,
}

versioned!(AssetResponse, asset);

impl From<Location> for domain::asset::Location {
    fn from(Location { latitude, longitude }: Location) -> Self {
        Self { latitude, longitude }
    }
}

impl From<read::Asset> for Asset {
    fn from(asset: read::Asset) -> Self {
        let row = asset.row;
        let location = row.latitude.zip(row.longitude);
        let thresholds = row.health_thresholds.unwrap_or_default();
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            asset_type_id: row.asset_type_id,
            asset_type_name: asset.asset_type_name,
            kind: row.kind,
            parent_id: asset.parent_id,
            location: location.map(|(latitude, longitude)| Location { latitude, longitude }),
            custom_attributes: row.custom_attributes,
            profile_id: row.profile_id,
            icon: row.icon,
            telemetry_mappings: row.telemetry_mappings.map(|mappings| mappings.into_iter().collect()),
            health_thresholds: thresholds.into(),
            health_score: asset.health_score,
            health_status: asset.health_score.map(|score| thresholds.status(score).to_owned()),
            health_score_updated_at: asset.health_score_updated_at.map(Into::into),
            health_score_computed_by: asset.health_score_computed_by,
            health_score_formula_version: asset.health_score_formula_version,
            linked_devices_count: asset.linked_devices_count,
            active_alarms_count: asset.active_alarms_count,
            out_of_service: row.out_of_service,
            out_of_service_reason: row.out_of_service_reason,
            retired: row.retired,
            retired_reason: row.retired_reason,
            created_at: row.created_at.into(),
            created_by: row.created_by,
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

impl From<read::Asset> for AssetResponse {
    fn from(asset: read::Asset) -> Self {
        Self { asset: asset.into() }
    }
}

/// Returns an asset of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<read::Asset, Problem> {
    let asset = read::get(&state.reader, caller.organization.0, id).await?;
    asset.ok_or_else(|| Problem::not_found("asset"))
}

/// Returns an asset as it is after a write.
pub async fn after_write(state: &State, caller: &Caller, id: Uuid, receipt: Receipt) -> Result<AssetResponse, Problem> {
    let found =
        read_after_write(state, NAME, (id, receipt), read::get(&state.reader, caller.organization.0, id)).await?;
    Ok(found.into())
}
