//! Device types in requests and responses.

use commands::Receipt;
use domain::device_type::MetricDefinition;
use projections::type_catalogue::{DeviceTypeRow, NAME, read};

use crate::auth::Caller;
use crate::enums::{UnknownMetrics, ValueKind};
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The definition of a metric.
#[derive(Debug, Object)]
#[oai(rename = "MetricDefinition", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Metric {
    /// 1 to 64 letters, digits, `_`, `-` and `.`.
    #[oai(validator(min_length = 1, max_length = 64))]
    key: String,
    #[oai(default = "number")]
    kind: ValueKind,
    #[oai(nullable)]
    unit: Option<String>,
    /// Lower values are kept but flagged.
    #[oai(nullable)]
    minimum: Option<f64>,
    /// Higher values are kept but flagged.
    #[oai(nullable)]
    maximum: Option<f64>,
    /// Readings without this metric are refused.
    #[oai(default)]
    required: bool,
}

/// The definition of a device type.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceTypeRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: String,
    #[oai(nullable)]
    pub description: Option<String>,
    #[oai(default)]
    pub metrics: Vec<Metric>,
    #[oai(default = "keep")]
    pub unknown_metrics: UnknownMetrics,
}

/// A device type.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DeviceType {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    description: Option<String>,
    metrics: Vec<Metric>,
    /// `keep` or `refuse`.
    unknown_metrics: String,
    /// The protocol converter for the payloads of its devices.
    converter_id: Option<Uuid>,
    retired: bool,
    created_at: Time,
    updated_at: Time,
    version: i64,
}

/// One device type.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct DeviceTypeResponse {
    device_type: DeviceType,
}

versioned!(DeviceTypeResponse, device_type);

fn number() -> ValueKind {
    ValueKind::Number
}

fn keep() -> UnknownMetrics {
    UnknownMetrics::Keep
}

impl From<Metric> for MetricDefinition {
    fn from(metric: Metric) -> Self {
        let Metric { key, kind, unit, minimum, maximum, required } = metric;
        Self { key, kind: kind.into(), unit, minimum, maximum, required }
    }
}

impl From<MetricDefinition> for Metric {
    fn from(metric: MetricDefinition) -> Self {
        let kind = match metric.kind {
            domain::device_type::ValueKind::Number => ValueKind::Number,
            domain::device_type::ValueKind::Boolean => ValueKind::Boolean,
            domain::device_type::ValueKind::Text => ValueKind::Text,
        };
        let MetricDefinition { key, unit, minimum, maximum, required, .. } = metric;
        Self { key, kind, unit, minimum, maximum, required }
    }
}

impl From<DeviceTypeRow> for DeviceType {
    fn from(row: DeviceTypeRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            metrics: row.metrics.into_iter().map(Metric::from).collect(),
            unknown_metrics: row.unknown_metrics,
            converter_id: row.converter_id,
            retired: row.retired,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

/// Returns a device type of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<DeviceTypeResponse, Problem> {
    let row = read::device_type(&state.reader, caller.organization.0, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("device type"))?;
    Ok(DeviceTypeResponse { device_type: row.into() })
}

/// Returns a device type as it is after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<DeviceTypeResponse, Problem> {
    let row = read_after_write(state, NAME, (id, receipt), read::device_type(&state.reader, caller.organization.0, id))
        .await?;
    Ok(DeviceTypeResponse { device_type: row.into() })
}
