//! Domain events into rows of types. Pure.

use domain::AnyEvent;
use domain::asset_type::AssetTypeEvent;
use domain::device_type::DeviceTypeEvent;
use eventlog::Stream;

use super::{AssetTypeRow, DeviceTypeRow};
use crate::fact::{Fact, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of device types and asset types.
pub struct Types;

/// The rows in hand.
#[derive(Default)]
pub struct Sheets {
    pub(crate) device_types: Sheet<DeviceTypeRow>,
    pub(crate) asset_types: Sheet<AssetTypeRow>,
}

impl Fold for Types {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["device_types", "asset_types"];
    type Sheets = Sheets;

    fn sheets(sheets: &mut Sheets) -> Vec<&mut dyn AnySheet> {
        vec![&mut sheets.device_types, &mut sheets.asset_types]
    }

    fn touch(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::DeviceType(_) => sheets.device_types.want(fact.id),
            AnyEvent::AssetType(_) => sheets.asset_types.want(fact.id),
            _ => {}
        }
    }

    fn fold(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::DeviceType(event) => fold_device_type(&mut sheets.device_types, fact, event),
            AnyEvent::AssetType(event) => fold_asset_type(&mut sheets.asset_types, fact, event),
            _ => {}
        }
    }
}

fn fold_device_type(types: &mut Sheet<DeviceTypeRow>, fact: &Fact, event: &DeviceTypeEvent) {
    match event {
        DeviceTypeEvent::DeviceTypeDefined { name, description, metrics, unknown_metrics }
        | DeviceTypeEvent::DeviceTypeRevised { name, description, metrics, unknown_metrics } => {
            let before = types.get(fact.id);
            let created_at = before.map_or(fact.at(), |row| row.created_at);
            let converter_id = before.and_then(|row| row.converter_id);
            types.put(DeviceTypeRow {
                id: fact.id,
                organization_id: fact.organization,
                name: name.clone(),
                description: description.clone(),
                metrics: metrics.clone(),
                unknown_metrics: text_of(unknown_metrics),
                converter_id,
                retired: false,
                created_at,
                updated_at: fact.at(),
                version: fact.version,
                position: fact.position,
            });
        }
        DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id } => types.change(fact.id, |row| {
            row.converter_id = converter_id.map(|id| id.0);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        }),
        DeviceTypeEvent::DeviceTypeRetired {} => types.change(fact.id, |row| {
            row.retired = true;
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        }),
    }
}

fn fold_asset_type(types: &mut Sheet<AssetTypeRow>, fact: &Fact, event: &AssetTypeEvent) {
    match event {
        AssetTypeEvent::AssetTypeDefined { name, description, icon, derived_metrics, health_model, combination }
        | AssetTypeEvent::AssetTypeRevised { name, description, icon, derived_metrics, health_model, combination } => {
            let created_at = types.get(fact.id).map_or(fact.at(), |row| row.created_at);
            types.put(AssetTypeRow {
                id: fact.id,
                organization_id: fact.organization,
                name: name.clone(),
                description: description.clone(),
                icon: icon.clone(),
                derived_metrics: derived_metrics.clone(),
                combination: combination.clone(),
                health_model: health_model.clone(),
                retired: false,
                created_at,
                updated_at: fact.at(),
                version: fact.version,
                position: fact.position,
            });
        }
        AssetTypeEvent::AssetTypeRetired {} => types.change(fact.id, |row| {
            row.retired = true;
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        }),
    }
}
