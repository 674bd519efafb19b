//! Folds domain events into rows of types. Pure.

use domain::AnyEvent;
use domain::asset_type::AssetTypeEvent;
use domain::device_type::DeviceTypeEvent;
use eventlog::Stream;

use super::{AssetTypeRow, DeviceTypeRow};
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::enum_text;

/// The fold of device types and asset types.
pub struct Types;

/// The rows that a batch has loaded, by table.
#[derive(Default)]
pub struct Rows {
    pub(crate) device_types: RowBatch<DeviceTypeRow>,
    pub(crate) asset_types: RowBatch<AssetTypeRow>,
}

impl Fold for Types {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["device_types", "asset_types"];
    type Rows = Rows;

    fn row_batches(rows: &mut Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![&mut rows.device_types, &mut rows.asset_types]
    }

    fn request_rows(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::DeviceType(_) => rows.device_types.request(decoded.id),
            AnyEvent::AssetType(_) => rows.asset_types.request(decoded.id),
            _ => {}
        }
    }

    fn fold(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::DeviceType(event) => fold_device_type(&mut rows.device_types, decoded, event),
            AnyEvent::AssetType(event) => fold_asset_type(&mut rows.asset_types, decoded, event),
            _ => {}
        }
    }
}

fn fold_device_type(types: &mut RowBatch<DeviceTypeRow>, decoded: &DecodedEvent, event: &DeviceTypeEvent) {
    match event {
        DeviceTypeEvent::DeviceTypeDefined { name, description, metrics, unknown_metrics }
        | DeviceTypeEvent::DeviceTypeRevised { name, description, metrics, unknown_metrics } => {
            let before = types.get(decoded.id);
            let created_at = before.map_or(decoded.recorded_at(), |row| row.created_at);
            let converter_id = before.and_then(|row| row.converter_id);
            types.upsert(DeviceTypeRow {
                id: decoded.id,
                organization_id: decoded.organization,
                name: name.clone(),
                description: description.clone(),
                metrics: metrics.clone(),
                unknown_metrics: enum_text(unknown_metrics),
                converter_id,
                retired: false,
                created_at,
                updated_at: decoded.recorded_at(),
                version: decoded.version,
                position: decoded.position,
            });
        }
        DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id } => types.update(decoded.id, |row| {
            row.converter_id = converter_id.map(|id| id.0);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        }),
        DeviceTypeEvent::DeviceTypeRetired {} => types.update(decoded.id, |row| {
            row.retired = true;
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        }),
    }
}

fn fold_asset_type(types: &mut RowBatch<AssetTypeRow>, decoded: &DecodedEvent, event: &AssetTypeEvent) {
    match event {
        AssetTypeEvent::AssetTypeDefined { name, description, icon, derived_metrics, health_model, combination }
        | AssetTypeEvent::AssetTypeRevised { name, description, icon, derived_metrics, health_model, combination } => {
            let created_at = types.get(decoded.id).map_or(decoded.recorded_at(), |row| row.created_at);
            types.upsert(AssetTypeRow {
                id: decoded.id,
                organization_id: decoded.organization,
                name: name.clone(),
                description: description.clone(),
                icon: icon.clone(),
                derived_metrics: derived_metrics.clone(),
                combination: combination.clone(),
                health_model: health_model.clone(),
                retired: false,
                created_at,
                updated_at: decoded.recorded_at(),
                version: decoded.version,
                position: decoded.position,
            });
        }
        AssetTypeEvent::AssetTypeRetired {} => types.update(decoded.id, |row| {
            row.retired = true;
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        }),
    }
}
