//! Asset types in requests and responses.

use commands::Receipt;
use domain::asset_type as model;
use projections::type_catalogue::{AssetTypeRow, NAME, read};

use crate::auth::Caller;
use crate::enums::{ChildrenFold, CompositeAggregation};
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// A metric computed from other metrics of the asset.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields)]
pub struct DerivedMetric {
    #[oai(validator(min_length = 1, max_length = 64))]
    key: String,
    /// An expression over the keys of other metrics: `(inlet + outlet) / 2`.
    #[oai(validator(min_length = 1, max_length = 1000))]
    formula: String,
    #[oai(nullable)]
    unit: Option<String>,
}

/// The good range and the limits of a metric.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricBand {
    #[oai(validator(min_length = 1, max_length = 64))]
    metric_key: String,
    good_low: f64,
    good_high: f64,
    /// At or below this value, the metric scores 0.
    limit_low: f64,
    /// At or above this value, the metric scores 0.
    limit_high: f64,
    #[oai(default = "one")]
    weight: f64,
}

/// How the health of an asset is scored: the weighted mean of its bands, 0 to 100.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct HealthModel {
    bands: Vec<MetricBand>,
    /// A value older than this scores 0.
    #[oai(nullable)]
    stale_after_seconds: Option<u32>,
    /// How the health of direct children counts; ignored if absent.
    #[oai(nullable)]
    children: Option<ChildrenHealth>,
}

/// How the health of child assets affects an asset's own health.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct ChildrenHealth {
    fold: ChildrenFold,
    /// Weight of each child in the mean.
    #[oai(default = "one")]
    weight: f64,
}

/// A metric aggregated from a metric of the direct children.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields)]
pub struct CompositeMetric {
    #[oai(validator(min_length = 1, max_length = 64))]
    key: String,
    /// Key of the children's metric.
    #[oai(validator(min_length = 1, max_length = 64))]
    of: String,
    aggregation: CompositeAggregation,
    #[oai(nullable)]
    unit: Option<String>,
}

/// The definition of an asset type.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssetTypeRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: String,
    #[oai(nullable)]
    pub description: Option<String>,
    #[oai(nullable)]
    pub icon: Option<String>,
    #[oai(default)]
    pub derived_metrics: Vec<DerivedMetric>,
    #[oai(default)]
    pub composite_metrics: Vec<CompositeMetric>,
    /// Seconds for which a value is used in formulas and composites, relative to the asset's newest value; defaults to
    /// 300.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "2592000")))]
    pub stale_after_seconds: Option<u32>,
    /// Seconds of silence of the other devices before values of a backup device are used; defaults to 60.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "2592000")))]
    pub takeover_after_seconds: Option<u32>,
    #[oai(nullable)]
    pub health_model: Option<HealthModel>,
}

impl AssetTypeRequest {
    /// Returns the requested definition.
    pub fn definition(self) -> model::AssetTypeDefinition {
        model::AssetTypeDefinition {
            name: self.name,
            description: self.description,
            icon: self.icon,
            derived_metrics: self.derived_metrics.into_iter().map(Into::into).collect(),
            health_model: self.health_model.map(Into::into),
            combination: model::Combination {
                composites: self.composite_metrics.into_iter().map(Into::into).collect(),
                stale_after_seconds: self.stale_after_seconds,
                takeover_after_seconds: self.takeover_after_seconds,
            },
        }
    }
}

/// An asset type.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct AssetType {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    description: Option<String>,
    icon: Option<String>,
    derived_metrics: Vec<DerivedMetric>,
    composite_metrics: Vec<CompositeMetric>,
    stale_after_seconds: Option<u32>,
    takeover_after_seconds: Option<u32>,
    health_model: Option<HealthModel>,
    retired: bool,
    created_at: Time,
    updated_at: Time,
    version: i64,
}

/// One asset type.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AssetTypeResponse {
    asset_type: AssetType,
}

versioned!(AssetTypeResponse, asset_type);

fn one() -> f64 {
    1.0
}

impl From<DerivedMetric> for model::DerivedMetric {
    fn from(DerivedMetric { key, formula, unit }: DerivedMetric) -> Self {
        Self { key, formula, unit }
    }
}

impl From<model::DerivedMetric> for DerivedMetric {
    fn from(model::DerivedMetric { key, formula, unit }: model::DerivedMetric) -> Self {
        Self { key, formula, unit }
    }
}

impl From<CompositeMetric> for model::CompositeMetric {
    fn from(CompositeMetric { key, of, aggregation, unit }: CompositeMetric) -> Self {
        Self { key, of, aggregation: aggregation.into(), unit }
    }
}

impl From<model::CompositeMetric> for CompositeMetric {
    fn from(model::CompositeMetric { key, of, aggregation, unit }: model::CompositeMetric) -> Self {
        Self { key, of, aggregation: aggregation.into(), unit }
    }
}

impl From<MetricBand> for model::MetricBand {
    fn from(band: MetricBand) -> Self {
        let MetricBand { metric_key, good_low, good_high, limit_low, limit_high, weight } = band;
        Self { metric_key, good_low, good_high, limit_low, limit_high, weight }
    }
}

impl From<model::MetricBand> for MetricBand {
    fn from(band: model::MetricBand) -> Self {
        let model::MetricBand { metric_key, good_low, good_high, limit_low, limit_high, weight } = band;
        Self { metric_key, good_low, good_high, limit_low, limit_high, weight }
    }
}

impl From<HealthModel> for model::HealthModel {
    fn from(HealthModel { bands, stale_after_seconds, children }: HealthModel) -> Self {
        let bands = bands.into_iter().map(Into::into).collect();
        let children =
            children.map(|ChildrenHealth { fold, weight }| model::ChildrenHealth { fold: fold.into(), weight });
        Self { bands, stale_after_seconds, children }
    }
}

impl From<model::HealthModel> for HealthModel {
    fn from(model::HealthModel { bands, stale_after_seconds, children }: model::HealthModel) -> Self {
        let bands = bands.into_iter().map(Into::into).collect();
        let children =
            children.map(|model::ChildrenHealth { fold, weight }| ChildrenHealth { fold: fold.into(), weight });
        Self { bands, stale_after_seconds, children }
    }
}

impl From<AssetTypeRow> for AssetType {
    fn from(row: AssetTypeRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            icon: row.icon,
            derived_metrics: row.derived_metrics.into_iter().map(Into::into).collect(),
            composite_metrics: row.combination.composites.into_iter().map(Into::into).collect(),
            stale_after_seconds: row.combination.stale_after_seconds,
            takeover_after_seconds: row.combination.takeover_after_seconds,
            health_model: row.health_model.map(Into::into),
            retired: row.retired,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

/// Returns an asset type of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<AssetTypeResponse, Problem> {
    let row = read::asset_type(&state.reader, caller.organization.0, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("asset type"))?;
    Ok(AssetTypeResponse { asset_type: row.into() })
}

/// Returns an asset type as it is after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<AssetTypeResponse, Problem> {
    let row = read_after_write(state, NAME, (id, receipt), read::asset_type(&state.reader, caller.organization.0, id))
        .await?;
    Ok(AssetTypeResponse { asset_type: row.into() })
}
