//! Normalised packs in, asset packs out.

use chrono::{DateTime, Utc};
use domain::ids::AssetId;
use domain::telemetry::{
    AssetPack, MetricSets, MetricValue, NormalizedPack, Quality, Reading, decode_pack, encode_pack,
};
use eventlog::Stream;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::testing::{
    ACME, DEVICE_TYPE, MemoryLog, Plan, TestDirectory, asset, at, device, run_stage, sample_directory,
};

fn reading(ordinal: u32, n: u128, measured: i64, numbers: &[f64]) -> Reading {
    Reading {
        origin: Origin { sequence: 1, ordinal },
        organization: ACME,
        device: device(n),
        device_type: DEVICE_TYPE.into(),
        measured_at: at(measured),
        received_at: at(measured),
        source: Default::default(),
        set: 0,
        numbers: numbers.to_vec(),
        others: vec![("on".to_owned(), MetricValue::Boolean(true))],
        flaws: vec![],
    }
}

fn pack(directory: &TestDirectory, keys: &[&str], readings: Vec<Reading>) -> Vec<u8> {
    let sets = MetricSets(vec![keys.iter().map(|key| (*key).to_owned()).collect()]);
    encode_pack(&NormalizedPack { es_position: directory.0.position(), read_up_to: 1, sets, readings, tick: None })
        .unwrap()
}

/// Asset, time, numbers by key, and how many other values.
type Values = (AssetId, DateTime<Utc>, Vec<(String, f64)>, usize);

fn values(directory: &TestDirectory, log: &mut MemoryLog) -> Vec<Values> {
    run_stage(&AssetProcessor, &directory.0, log, &Plan::straight());
    let packs =
        log.read(Stream::TelemetryAsset).iter().map(|message| decode_pack::<AssetPack>(&message.payload).unwrap());
    let values = packs.flat_map(|pack| {
        let sets = pack.sets;
        pack.readings.into_iter().map(move |reading| {
            let numbers = sets.keys(reading.set).iter().cloned().zip(reading.numbers).collect();
            (reading.asset, reading.measured_at, numbers, reading.others.len())
        })
    });
    values.collect()
}

#[test]
fn a_mapping_selects_metrics_and_an_empty_mapping_passes_all() {
    let mut directory = sample_directory();
    let extra = Uuid::from_u128(0x77);
    let registered = json!({"name": "x", "asset_type_id": DEVICE_TYPE, "kind": "space", "custom_attributes": {}});
    directory.apply(extra, "asset", "AssetRegistered", registered);
    directory.link(device(1).0, extra, json!({}));
    let mut log = MemoryLog::default();
    log.store(
        Stream::TelemetryNormalized,
        "1.0",
        pack(&directory, &["pressure", "temperature"], vec![reading(0, 1, 5, &[1.0, 30.0])]),
    );
    let number = |key: &str, value| (key.to_owned(), value);
    let expected = [
        (AssetId(asset(1)), at(5), vec![number("heat", 30.0)], 0),
        (AssetId(extra), at(5), vec![number("pressure", 1.0), number("temperature", 30.0)], 1),
    ];
    assert_eq!(values(&directory, &mut log), expected);
}

#[test]
fn a_link_applies_by_measurement_time_and_a_retired_asset_gets_nothing() {
    let mut directory = sample_directory();
    let link = Uuid::from_u128(device(1).0.as_u128() << 64 | asset(1).as_u128());
    let ended = json!({"link_id": link, "asset_id": asset(1), "valid_until": at(10)});
    directory.apply(device(1).0, "device_links", "AssetUnlinked", ended);
    directory.apply(asset(2), "asset", "AssetRetired", json!({"reason": "gone"}));
    let mut log = MemoryLog::default();
    log.store(
        Stream::TelemetryNormalized,
        "1.0",
        pack(&directory, &["temperature"], vec![reading(0, 1, 9, &[1.0]), reading(1, 1, 10, &[2.0])]),
    );
    log.store(Stream::TelemetryNormalized, "2.0", pack(&directory, &["temperature"], vec![reading(0, 2, 9, &[3.0])]));
    assert_eq!(values(&directory, &mut log), [(AssetId(asset(1)), at(9), vec![("heat".to_owned(), 1.0)], 0)]);
}

#[test]
fn readings_that_were_read_before_are_skipped() {
    let directory = sample_directory();
    let mut log = MemoryLog::default();
    let first = pack(&directory, &["temperature"], vec![reading(0, 1, 1, &[1.0]), reading(1, 1, 2, &[2.0])]);
    let again = pack(&directory, &["temperature"], vec![reading(1, 1, 2, &[2.0]), reading(2, 1, 3, &[3.0])]);
    [first.clone(), again, first]
        .into_iter()
        .for_each(|pack| drop(log.store(Stream::TelemetryNormalized, "1.0", pack)));
    let seen: Vec<_> = values(&directory, &mut log).into_iter().map(|(_, _, numbers, _)| numbers[0].1).collect();
    assert_eq!(seen, [1.0, 2.0, 3.0]);
}

#[test]
fn the_directory_position_of_a_subject_never_decreases() {
    let mut directory = sample_directory();
    let before = directory.0.position();
    let old = pack(&directory, &["temperature"], vec![reading(0, 1, 1, &[1.0])]);
    let stale = pack(
        &directory,
        &["temperature"],
        vec![Reading { origin: Origin { sequence: 3, ordinal: 0 }, ..reading(0, 1, 3, &[3.0]) }],
    );
    directory.apply(asset(1), "asset", "AssetRetired", json!({"reason": "gone"}));
    assert!(directory.0.position() > before);
    let new = pack(
        &directory,
        &["temperature"],
        vec![Reading { origin: Origin { sequence: 2, ordinal: 0 }, ..reading(0, 1, 2, &[2.0]) }],
    );
    let mut log = MemoryLog::default();
    [old, new, stale].into_iter().for_each(|pack| drop(log.store(Stream::TelemetryNormalized, "1.0", pack)));
    let seen: Vec<_> = values(&directory, &mut log).into_iter().map(|(_, _, numbers, _)| numbers[0].1).collect();
    assert_eq!(seen, [1.0], "the asset was in use only when the first reading was normalised");
}

#[test]
fn a_group_reads_only_its_partitions_and_all_groups_read_the_whole_stream() {
    let some = AssetProcessor::sources(&BTreeSet::from([1]));
    assert_eq!(some[0].filters, ["1.*", "5.*", "9.*", "13.*"]);
    assert_eq!(AssetProcessor::sources(&(0..GROUPS).collect())[0].filters, Vec::<String>::new());
}

#[test]
fn a_link_with_a_port_sees_that_port_and_metrics_without_a_port() {
    let mut directory = sample_directory();
    let registered = json!({"name": "x", "asset_type_id": DEVICE_TYPE, "kind": "asset", "custom_attributes": {}});
    let keys = ["1.v", "2.v", "rssi", "temp_1"];
    let mut expected = vec![];
    for (n, port, mapping, seen) in [
        (1, Some(1), json!({}), vec![("rssi", 3.0), ("temp_1", 4.0), ("v", 1.0)]),
        (2, Some(2), json!({"device.v": "asset.volts"}), vec![("volts", 2.0)]),
        (3, Some(1), json!({"device.temp_1": "asset.temperature"}), vec![("temperature", 4.0)]),
        (4, None, json!({"device.2.v": "asset.volts"}), vec![("volts", 2.0)]),
    ] {
        // All assets are in one partition, so their values come in the order of the links.
        let id = Uuid::from_u128(0x7000 + n * 16);
        directory.apply(id, "asset", "AssetRegistered", registered.clone());
        let linked = json!({"link_id": id, "asset_id": id, "port": port, "role": "primary", "valid_from": at(-9), "metrics_mapping": mapping});
        directory.apply(device(1).0, "device_links", "AssetLinked", linked);
        expected.push((AssetId(id), seen.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Vec<_>>()));
    }
    let mut log = MemoryLog::default();
    log.store(
        Stream::TelemetryNormalized,
        "1.0",
        pack(&directory, &keys, vec![reading(0, 1, 5, &[1.0, 2.0, 3.0, 4.0])]),
    );
    let seen: Vec<_> =
        values(&directory, &mut log).into_iter().map(|(asset, _, numbers, _)| (asset, numbers)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn an_asset_has_each_metric_once_though_a_number_and_a_text_are_mapped_to_it() {
    let mut directory = sample_directory();
    let target = Uuid::from_u128(0x78);
    let registered = json!({"name": "x", "asset_type_id": DEVICE_TYPE, "kind": "space", "custom_attributes": {}});
    directory.apply(target, "asset", "AssetRegistered", registered);
    directory.link(device(1).0, target, json!({"on": "state", "temperature": "state", "off": "state"}));
    let mut log = MemoryLog::default();
    let mut one = reading(0, 1, 5, &[21.0]);
    one.others.push(("off".to_owned(), MetricValue::Boolean(false)));
    log.store(Stream::TelemetryNormalized, "1.0", pack(&directory, &["temperature"], vec![one]));
    let seen: Vec<_> = values(&directory, &mut log).into_iter().filter(|(asset, ..)| asset.0 == target).collect();
    assert_eq!(seen, [(AssetId(target), at(5), vec![("state".to_owned(), 21.0)], 0)]);
}

#[test]
fn the_quality_of_a_value_stays_with_it_under_its_name_on_the_asset() {
    let mut directory = sample_directory();
    let (all, one) = (Uuid::from_u128(0x8000), Uuid::from_u128(0x8010));
    let registered = json!({"name": "x", "asset_type_id": DEVICE_TYPE, "kind": "space", "custom_attributes": {}});
    for (asset, mapping) in [(all, json!({})), (one, json!({"temperature": "heat", "on": "state"}))] {
        directory.apply(asset, "asset", "AssetRegistered", registered.clone());
        directory.link(device(1).0, asset, mapping);
    }
    let doubtful = |key: &str| vec![(key.to_owned(), Quality::Uncertain)];
    let flawed = Reading { flaws: doubtful("temperature"), ..reading(0, 1, 5, &[1.0, 2.0]) };
    let mut log = MemoryLog::default();
    log.store(Stream::TelemetryNormalized, "1.0", pack(&directory, &["level", "temperature"], vec![flawed]));
    run_stage(&AssetProcessor, &directory.0, &mut log, &Plan::straight());
    let packs =
        log.read(Stream::TelemetryAsset).iter().map(|stored| decode_pack::<AssetPack>(&stored.payload).unwrap());
    let readings: Vec<_> = packs.flat_map(|pack| pack.readings).collect();
    for (asset, expected) in [(all, doubtful("temperature")), (one, doubtful("heat"))] {
        let of_asset: Vec<_> = readings.iter().filter(|reading| reading.asset.0 == asset).collect();
        assert_eq!(of_asset.iter().map(|reading| &reading.doubts).collect::<Vec<_>>(), [&expected]);
    }
}
