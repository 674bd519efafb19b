//! Unit tests of the fold and of its rows.

use domain::asset_type::AssetTypeEvent;
use domain::device_type::{DeviceTypeEvent, MetricDefinition, UnknownMetrics, ValueKind};

use super::Types;
use crate::test_events::{ID, at, rows_after};

fn metric() -> MetricDefinition {
    let (unit, minimum, maximum) = (Some("Cel".into()), Some(-40.0), Some(125.0));
    MetricDefinition { key: "temp".into(), kind: ValueKind::Number, unit, minimum, maximum, required: true }
}

#[test]
fn a_device_type_is_replaced_by_its_revision_and_keeps_its_creation_time() {
    let defined = DeviceTypeEvent::DeviceTypeDefined {
        name: "Sensor".into(),
        description: None,
        metrics: vec![],
        unknown_metrics: UnknownMetrics::Keep,
    };
    let revised = DeviceTypeEvent::DeviceTypeRevised {
        name: "Thermometer".into(),
        description: Some("Warm".into()),
        metrics: vec![metric()],
        unknown_metrics: UnknownMetrics::Refuse,
    };
    let rows = rows_after::<Types, _>("device_type", &[defined.clone(), revised]);
    let row = rows.device_types.get(ID).unwrap();
    assert_eq!((row.name.as_str(), row.unknown_metrics.as_str(), row.version), ("Thermometer", "refuse", 2));
    assert_eq!((row.metrics.as_slice(), row.created_at, row.updated_at), (&[metric()][..], at(1), at(2)));
    let retired = rows_after::<Types, _>("device_type", &[defined, DeviceTypeEvent::DeviceTypeRetired {}]);
    assert!(retired.device_types.get(ID).unwrap().retired);
}

#[test]
fn an_asset_type_is_replaced_by_its_revision_and_keeps_its_creation_time() {
    let defined = AssetTypeEvent::AssetTypeDefined {
        name: "Plant".into(),
        description: None,
        icon: None,
        derived_metrics: vec![],
        combination: domain::asset_type::Combination::default(),
        health_model: None,
    };
    let revised = AssetTypeEvent::AssetTypeRevised {
        name: "Works".into(),
        description: None,
        icon: Some("works".into()),
        derived_metrics: vec![],
        combination: domain::asset_type::Combination::default(),
        health_model: Some(Default::default()),
    };
    let rows = rows_after::<Types, _>("asset_type", &[defined.clone(), revised]);
    let row = rows.asset_types.get(ID).unwrap();
    assert_eq!((row.name.as_str(), row.icon.as_deref(), row.created_at), ("Works", Some("works"), at(1)));
    assert!(row.health_model.is_some());
    let retired = rows_after::<Types, _>("asset_type", &[defined, AssetTypeEvent::AssetTypeRetired {}]);
    assert!(retired.asset_types.get(ID).unwrap().retired);
}
