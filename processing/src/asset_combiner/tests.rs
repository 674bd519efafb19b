//! Asset packs in; computed values, health scores and reports to parents out.

mod equal_times;
mod extremes;

use std::collections::BTreeMap;

use domain::ids::{AssetId, DeviceId};
use domain::telemetry::health::FORMULA_VERSION;
use domain::telemetry::{AssetHealthChanged, AssetReading, COMPUTED_SOURCE, MetricSets, encode_pack};
use eventlog::partition_of;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::stage::HighWaterMarks;
use crate::testing::{ACME, MemoryLog, Plan, TestDirectory, asset, at, device, run_stage, sample_directory};

const TYPE: Uuid = Uuid::from_u128(0xa1);
/// Two assets of the type, their parent, and its parent.
const MOTOR: AssetId = AssetId(Uuid::from_u128(0x0b00));
const OTHER_MOTOR: AssetId = AssetId(Uuid::from_u128(0x0b01));
const LINE: AssetId = AssetId(Uuid::from_u128(0x0b12));
const PLANT: AssetId = AssetId(Uuid::from_u128(0x0b23));

/// One reading to be stored: asset, second, device, source token, metrics.
struct Sent(AssetId, i64, u128, u16, Vec<(&'static str, f64)>);

fn direct(asset: AssetId, second: i64, values: &[(&'static str, f64)]) -> Sent {
    Sent(asset, second, 1, 0, values.to_vec())
}

fn backup(asset: AssetId, second: i64, values: &[(&'static str, f64)]) -> Sent {
    Sent(asset, second, 2, offers_source(0), values.to_vec())
}

/// Returns a directory with a plant that has one line of two motors.
fn plant(motor: Value, line: Value, plant: Value) -> TestDirectory {
    let mut directory = sample_directory();
    let types = [(TYPE, motor), (Uuid::from_u128(0xa2), line), (Uuid::from_u128(0xa3), plant)];
    for (id, mut defined) in types.clone() {
        defined["name"] = json!("T");
        defined["derived_metrics"] = defined.get("derived_metrics").cloned().unwrap_or(json!([]));
        directory.apply(id, "asset_type", "AssetTypeDefined", defined);
    }
    for (id, of_type) in [(MOTOR, 0), (OTHER_MOTOR, 0), (LINE, 1), (PLANT, 2)] {
        let registered =
            json!({"name": "a", "asset_type_id": types[of_type].0, "kind": "asset", "custom_attributes": {}});
        directory.apply(id.0, "asset", "AssetRegistered", registered);
    }
    for (child, parent) in [(MOTOR, LINE), (OTHER_MOTOR, LINE), (LINE, PLANT)] {
        directory.apply(ACME.0, "asset_tree", "AssetPlaced", json!({"asset": child, "parent": parent}));
    }
    directory
}

fn power() -> Value {
    json!({"derived_metrics": [{"key": "power", "formula": "voltage * current"}, {"key": "kw", "formula": "power / 1000"}]})
}

fn total(of: &str, aggregation: &str) -> Value {
    json!({"combination": {"composites": [{"key": "total", "of": of, "aggregation": aggregation}]}})
}

fn store(directory: &TestDirectory, log: &mut MemoryLog, sent: &[Sent]) {
    for Sent(asset, second, device, source, values) in sent {
        let sequence = log.read(Stream::TelemetryAsset).len() as u64 + 1;
        let mut values = values.clone();
        values.sort_by_key(|(key, _)| *key);
        let reading = AssetReading {
            origin: Origin { sequence, ordinal: 0 },
            organization: ACME,
            asset: *asset,
            source_devices: vec![self::device(*device)],
            measured_at: at(*second),
            received_at: at(*second),
            set: 0,
            numbers: values.iter().map(|(_, value)| *value).collect(),
            others: vec![],
            flaws: vec![],
            doubts: vec![],
        };
        let sets = MetricSets(vec![values.iter().map(|(key, _)| (*key).to_owned()).collect()]);
        let mut pack = AssetPack { es_position: directory.0.position(), sets, ..AssetPack::default() };
        if *source < GROUPS { &mut pack.readings } else { &mut pack.offers }.push(reading);
        let tail = format!("{}.{source}", partition_of(asset.0));
        log.store(Stream::TelemetryAsset, &tail, encode_pack(&pack).unwrap());
    }
}

/// Runs the stage once over everything in the log.
fn run(directory: &TestDirectory, log: &mut MemoryLog, plan: &Plan) {
    run_stage(&AssetCombiner, &directory.0, log, plan);
}

/// The computed values: asset, second, metrics, devices; and the flaws.
type Values = Vec<(AssetId, i64, Vec<(String, f64)>, Vec<DeviceId>, Vec<(String, String)>)>;

fn computed(log: &MemoryLog) -> Values {
    values(log, COMPUTED_SOURCE)
}

fn values(log: &MemoryLog, source: &str) -> Values {
    let (mut marks, mut found) = (HighWaterMarks::default(), vec![]);
    for message in log.read(Stream::TelemetryAsset).iter().filter(|m| m.subject.ends_with(&format!(".{source}"))) {
        let pack: AssetPack = decode_pack(&message.payload).unwrap();
        let mut mark = marks.of(&message.subject);
        for reading in pack.readings.into_iter().filter(|reading| mark.admits(reading.origin)) {
            let numbers = pack.sets.keys(reading.set).iter().cloned().zip(reading.numbers).collect();
            let second = (reading.measured_at - at(0)).num_seconds();
            found.push((reading.asset, second, numbers, reading.source_devices, reading.flaws));
        }
    }
    found
}

fn healths(log: &MemoryLog) -> Vec<AssetHealthChanged> {
    let (mut marks, mut found) = (HighWaterMarks::default(), vec![]);
    for message in log.read(Stream::TelemetryAsset).iter().filter(|m| m.subject.ends_with(&format!(".{HEALTH_SOURCE}")))
    {
        let mut mark = marks.of(&message.subject);
        let pack: AssetPack = decode_pack(&message.payload).unwrap();
        found.extend(pack.health.into_iter().filter(|health| mark.admits(health.origin)));
    }
    found
}

fn number(key: &str, value: f64) -> (String, f64) {
    (key.to_owned(), value)
}

#[test]
fn formulas_use_the_newest_values_of_several_devices_and_each_other() {
    let (directory, mut log) = (plant(power(), json!({}), json!({})), MemoryLog::default());
    let sent = [
        direct(MOTOR, 1, &[("voltage", 250.0), ("noise", 1.0)]),
        Sent(MOTOR, 2, 3, 1, vec![("current", 10.0)]),
        direct(MOTOR, 3, &[("voltage", 200.0)]),
        direct(MOTOR, 2, &[("voltage", 1.0)]),
        direct(MOTOR, 4, &[("noise", 2.0)]),
    ];
    store(&directory, &mut log, &sent);
    run(&directory, &mut log, &Plan::straight());
    let both = || vec![device(1), device(3)];
    let expected = vec![
        (MOTOR, 2, vec![number("kw", 2.5), number("power", 2500.0)], both(), vec![]),
        (MOTOR, 3, vec![number("kw", 2.0), number("power", 2000.0)], both(), vec![]),
    ];
    assert_eq!(computed(&log), expected, "older values and values that no formula uses trigger nothing");
}

#[test]
fn a_failing_formula_reports_its_reason_once_and_blocks_nothing() {
    let motor = json!({"derived_metrics": [{"key": "ratio", "formula": "a / b"}, {"key": "twice", "formula": "a * 2"}],
        "combination": {"stale_after_seconds": 60}});
    let (directory, mut log) = (plant(motor, json!({}), json!({})), MemoryLog::default());
    let sent = [
        direct(MOTOR, 1, &[("a", 1.0), ("b", 0.0)]),
        direct(MOTOR, 2, &[("a", 2.0)]),
        direct(MOTOR, 3, &[("b", 4.0)]),
        direct(MOTOR, 64, &[("a", 8.0)]),
    ];
    store(&directory, &mut log, &sent);
    run(&directory, &mut log, &Plan::straight());
    let seen: Vec<_> =
        computed(&log).into_iter().map(|(_, second, numbers, _, flaws)| (second, numbers, flaws)).collect();
    let ratio = |reason: &str| vec![("ratio".to_owned(), reason.to_owned())];
    let expected = vec![
        (1, vec![number("twice", 2.0)], ratio("the result is not a finite number")),
        (2, vec![number("twice", 4.0)], vec![]),
        (3, vec![number("ratio", 0.5), number("twice", 4.0)], vec![]),
        (64, vec![number("twice", 16.0)], ratio("b is too old")),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn parents_aggregate_their_children_over_any_depth() {
    let (directory, mut log) = (plant(power(), total("power", "sum"), total("total", "max")), MemoryLog::default());
    let sent = [
        direct(MOTOR, 1, &[("voltage", 10.0), ("current", 1.0)]),
        direct(OTHER_MOTOR, 2, &[("voltage", 10.0), ("current", 3.0)]),
    ];
    store(&directory, &mut log, &sent);
    // The stage reads its own reports: three levels need three rounds.
    (0..3).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    let of = |asset: AssetId| -> Vec<_> {
        let values = computed(&log).into_iter().filter(|(of, ..)| *of == asset);
        values.map(|(_, second, numbers, devices, _)| (second, numbers, devices.len())).collect()
    };
    assert_eq!(of(LINE).last(), Some(&(2, vec![number("total", 40.0)], 1)));
    assert_eq!(of(PLANT).last(), Some(&(2, vec![number("total", 40.0)], 1)));
}

#[test]
fn an_asset_that_is_no_longer_a_child_no_longer_counts() {
    let mut directory = plant(power(), total("power", "sum"), json!({}));
    let mut log = MemoryLog::default();
    let sent = |second| {
        [MOTOR, OTHER_MOTOR]
            .map(|motor| direct(motor, second, &[("voltage", 10.0), ("current", 1.0)]))
            .into_iter()
            .collect::<Vec<_>>()
    };
    store(&directory, &mut log, &sent(1));
    directory.apply(ACME.0, "asset_tree", "AssetDetached", json!({"asset": OTHER_MOTOR}));
    store(&directory, &mut log, &sent(2));
    (0..2).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    let line = computed(&log).into_iter().rfind(|(of, ..)| *of == LINE).unwrap();
    assert_eq!(line.2, [number("total", 10.0)]);
}

#[test]
fn a_backup_counts_only_while_the_other_devices_are_silent() {
    let motor = json!({"combination": {"takeover_after_seconds": 30}, "derived_metrics": [{"key": "twice", "formula": "t * 2"}]});
    let (directory, mut log) = (plant(motor, json!({}), json!({})), MemoryLog::default());
    let sent = [
        backup(MOTOR, 0, &[("t", 1.0)]),
        direct(MOTOR, 10, &[("t", 2.0)]),
        backup(MOTOR, 20, &[("t", 3.0)]),
        backup(MOTOR, 39, &[("t", 4.0)]),
        backup(MOTOR, 40, &[("t", 5.0)]),
    ];
    store(&directory, &mut log, &sent);
    // The stage reads the accepted values back.
    (0..2).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    store(&directory, &mut log, &[direct(MOTOR, 41, &[("t", 6.0)]), backup(MOTOR, 50, &[("t", 7.0)])]);
    run(&directory, &mut log, &Plan::straight());
    let seen: Vec<_> =
        computed(&log).into_iter().map(|(_, second, numbers, devices, _)| (second, numbers, devices)).collect();
    let expected = vec![
        (10, vec![number("twice", 4.0)], vec![device(1)]),
        (40, vec![number("twice", 10.0)], vec![device(2)]),
        (41, vec![number("twice", 12.0)], vec![device(1)]),
    ];
    assert_eq!(seen, expected);
    let accepted = values(&log, &ACCEPTED_SOURCE.to_string());
    assert_eq!(accepted, vec![(MOTOR, 40, vec![number("t", 5.0)], vec![device(2)], vec![])]);
}

#[test]
fn a_recomputed_value_gets_a_later_time() {
    let (directory, mut log) = (plant(power(), json!({}), json!({})), MemoryLog::default());
    let sent = [
        direct(MOTOR, 9, &[("voltage", 10.0), ("current", 1.0)]),
        Sent(MOTOR, 5, 3, 1, vec![("current", 2.0)]),
        Sent(MOTOR, 9, 3, 1, vec![("current", 3.0)]),
        direct(MOTOR, 8, &[("voltage", 20.0)]),
        direct(MOTOR, 10, &[("voltage", 30.0)]),
    ];
    store(&directory, &mut log, &sent);
    run(&directory, &mut log, &Plan::straight());
    let powers: Vec<_> = computed(&log).into_iter().map(|(_, second, numbers, ..)| (second, numbers[1].1)).collect();
    assert_eq!(powers, [(9, 10.0), (9, 30.0), (10, 90.0)], "values older than the known ones trigger nothing");
}

#[test]
fn a_health_change_is_published_when_the_score_moves_by_a_whole_point() {
    let (directory, mut log) = (sample_directory(), MemoryLog::default());
    let pump = AssetId(asset(1));
    let heat = |source, second, value| Sent(pump, second, 1, source, vec![("heat", value), ("noise", 5.0)]);
    let sent =
        [heat(0, 1, 40.0), heat(0, 2, 50.0), heat(1, 3, 75.0), heat(0, 4, 75.1), heat(1, 5, 76.0), heat(0, 4, 10.0)];
    store(&directory, &mut log, &sent);
    run(&directory, &mut log, &Plan { batches: vec![(2, None), (1, None)], snapshot_every: 1 });
    let changes: Vec<_> = healths(&log)
        .into_iter()
        .map(|change| (change.previous, change.score, change.cause, change.origin.sequence))
        .collect();
    let heat = || Some("heat".to_owned());
    assert_eq!(changes, [(None, 100, None, 1), (Some(100), 50, heat(), 3), (Some(50), 48, heat(), 5)]);
    assert_eq!(computed(&log), vec![]);
}

#[test]
fn a_health_change_names_the_formula_and_model_that_computed_it() {
    let band = |limit: f64| json!({"metric_key": "heat", "limit_low": -1.0, "good_low": 0.0, "good_high": 50.0, "limit_high": limit, "weight": 1.0});
    let model = |limit| json!({"name": "T", "derived_metrics": [], "health_model": {"bands": [band(limit)]}});
    let (mut directory, mut log) = (plant(model(90.0), json!({}), json!({})), MemoryLog::default());
    let defined = directory.apply(TYPE, "asset_type", "AssetTypeRevised", model(100.0));
    let scored = |directory: &TestDirectory, log: &mut MemoryLog, second, heat| {
        store(directory, log, &[direct(MOTOR, second, &[("heat", heat)])]);
        run(directory, log, &Plan::straight());
        let changes = healths(log);
        changes.last().map(|change| (change.score, change.scored_by.unwrap().model)).unwrap()
    };
    assert_eq!(scored(&directory, &mut log, 1, 50.0), (100, defined));
    let mut renamed = model(100.0);
    renamed["name"] = json!("U");
    directory.apply(TYPE, "asset_type", "AssetTypeRevised", renamed);
    assert_eq!(
        scored(&directory, &mut log, 2, 75.0),
        (50, defined),
        "renaming the type does not change the model version"
    );
    let revised = directory.apply(TYPE, "asset_type", "AssetTypeRevised", model(150.0));
    assert_eq!(scored(&directory, &mut log, 3, 100.0), (50, defined), "an unchanged score publishes no change");
    assert_eq!(scored(&directory, &mut log, 4, 125.0), (25, revised));
    assert!(healths(&log).iter().all(|change| change.scored_by.unwrap().formula == FORMULA_VERSION));
}

#[test]
fn health_folds_the_children_and_a_derived_metric_may_be_a_band() {
    let band = json!({"metric_key": "power", "limit_low": -1.0, "good_low": 0.0, "good_high": 100.0, "limit_high": 200.0, "weight": 1.0});
    let mut motor = power();
    motor["health_model"] = json!({"bands": [band]});
    let line = json!({"health_model": {"bands": [], "children": {"fold": "worst"}}});
    let (directory, mut log) = (plant(motor, line.clone(), line), MemoryLog::default());
    let sent = [
        direct(MOTOR, 1, &[("voltage", 10.0), ("current", 1.0)]),
        direct(OTHER_MOTOR, 2, &[("voltage", 10.0), ("current", 15.0)]),
    ];
    store(&directory, &mut log, &sent);
    (0..3).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    let newest: BTreeMap<AssetId, (u8, Option<String>)> =
        healths(&log).into_iter().map(|change| (change.asset, (change.score, change.cause))).collect();
    let cause = |cause: &str| Some(cause.to_owned());
    let expected = [
        (MOTOR, (100, None)),
        (OTHER_MOTOR, (50, cause("power"))),
        (LINE, (50, cause("children"))),
        (PLANT, (50, cause("children"))),
    ];
    assert_eq!(newest, expected.into());
}

#[test]
fn the_stage_skips_its_own_values_and_health_but_reads_reports_of_children_and_accepted_values() {
    let unit = |tail: &str| {
        let mut log = MemoryLog::default();
        AssetCombiner::unit(&log.store(Stream::TelemetryAsset, tail, encode_pack(&AssetPack::default()).unwrap()))
    };
    assert_eq!(["1.16", "1.17", "1.clock"].map(unit), [None; 3]);
    assert_eq!(["1.3", "2.7", "3.32", "4.47", "5.18"].map(unit), [1, 2, 3, 4, 5].map(Some));
    let some = AssetCombiner::sources(&BTreeSet::from([7]));
    assert_eq!(some[0].filters.len(), 25);
    assert!(["7.0", "7.7", "7.32", "7.47"].iter().all(|filter| some[0].filters.contains(&(*filter).to_owned())));
}

/// Returns what a reader observes in the end: all values of each motor in order, but only the last value of each
/// parent, because the reports of two partitions may arrive in either order.
fn seen(log: &MemoryLog) -> BTreeMap<AssetId, Values> {
    let mut seen = BTreeMap::<AssetId, Values>::new();
    for value in computed(log) {
        let values = seen.entry(value.0).or_default();
        if [LINE, PLANT].contains(&value.0) {
            values.clear();
        }
        values.push(value);
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batching_and_crashes_do_not_change_the_values(
        samples in prop::collection::vec((0..2usize, 0..60i64, 0..3usize, 1..9u32), 1..30),
        plans in prop::collection::vec(
            prop::collection::vec((1..5usize, prop::option::weighted(0.4, 0..4usize)), 0..20), 3),
        snapshot_every in 1..4usize,
    ) {
        let directory = plant(power(), total("power", "sum"), total("total", "sum"));
        let sent: Vec<_> = samples
            .iter()
            .map(|(motor, second, kind, value)| {
                let motor = [MOTOR, OTHER_MOTOR][*motor];
                let value = f64::from(*value);
                match kind {
                    0 => direct(motor, *second, &[("voltage", value)]),
                    1 => direct(motor, *second, &[("voltage", value), ("current", value)]),
                    _ => backup(motor, *second, &[("current", value)]),
                }
            })
            .collect();
        let mut straight = MemoryLog::default();
        store(&directory, &mut straight, &sent);
        let mut split = straight.clone();
        (0..3).for_each(|_| run(&directory, &mut straight, &Plan::straight()));
        for batches in plans {
            run(&directory, &mut split, &Plan { batches, snapshot_every });
        }
        prop_assert_eq!(seen(&split), seen(&straight));
    }
}
