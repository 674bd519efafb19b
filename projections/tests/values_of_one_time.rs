//! Which value counts where a device or an asset has several of one metric and time: the last to arrive, in latest
//! values, history and aggregates alike, before and after compaction.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;

use common::sample::{DEVICE, PUMP};
use common::{ORGANIZATION, World, metric_sets, origin, reading, seconds, world};
use domain::ids::{AssetId, DeviceId, OrganizationId};
use domain::telemetry::{AssetPack, AssetReading, MetricValue, Reading, encode_pack};
use eventlog::Stream;
use projections::latest_telemetry::read as latest;
use projections::telemetry_history::read::{self as telemetry, Query, Step};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

const NAMES: [&str; 2] = ["latest_telemetry", "telemetry_history"];
const SETS: [&[&str]; 4] = [&["flow", "level"], &["level"], &["flow"], &[]];
const HOUR: i64 = 3_600;

/// The number or text of a metric.
type Metrics = BTreeMap<String, Value>;

async fn latest_of(world: &World, entity: Uuid) -> Metrics {
    let found = latest::get(&world.reader, entity).await.unwrap();
    found.metrics.into_iter().map(|(key, newest)| (key, newest.value)).collect()
}

fn everything(entity: Uuid, metric_key: Option<&str>) -> Query {
    let metric_key = metric_key.map(str::to_owned);
    Query { entity, metric_key, from: seconds(-90_000), until: seconds(900_000), limit: 10_000, newest: true }
}

/// The last value of each metric in the history.
async fn newest_of(world: &World, entity: Uuid) -> Metrics {
    let points = telemetry::raw(&world.reader, &everything(entity, None)).await.unwrap();
    points.into_iter().map(|point| (point.metric_key, point.value)).collect()
}

/// Start (seconds), count, least and greatest value of each step.
type Steps = Vec<(i64, i64, f64, f64)>;

async fn steps(world: &World, entity: Uuid, metric_key: &str, step: Step) -> Steps {
    let found = telemetry::aggregate(&world.reader, &everything(entity, Some(metric_key)), step).await.unwrap();
    let shown =
        found.iter().map(|step| ((step.start - seconds(0)).num_seconds(), step.count, step.minimum, step.maximum));
    shown.collect()
}

/// What the aggregates must be, from the history's numbers.
async fn expected_steps(world: &World, entity: Uuid, metric_key: &str, length: i64) -> Steps {
    let points = telemetry::raw(&world.reader, &everything(entity, Some(metric_key))).await.unwrap();
    let mut steps = BTreeMap::<i64, (i64, f64, f64)>::new();
    for point in points {
        let Some(number) = point.value.as_f64() else { continue };
        let start = (point.measured_at - seconds(0)).num_seconds().div_euclid(length) * length;
        let step = steps.entry(start).or_insert((0, number, number));
        *step = (step.0 + 1, step.1.min(number), step.2.max(number));
    }
    steps.into_iter().map(|(start, (count, least, greatest))| (start, count, least, greatest)).collect()
}

async fn check_steps(world: &World, entity: Uuid, when: &str) {
    for metric_key in ["flow", "level"] {
        for (step, length) in [(Step::Minute, 60), (Step::FiveMinutes, 300), (Step::Hour, HOUR)] {
            let found = steps(world, entity, metric_key, step).await;
            assert_eq!(found, expected_steps(world, entity, metric_key, length).await, "{when}: {metric_key} {step:?}");
        }
    }
}

fn of_set(set: u32, reading: Reading) -> Reading {
    Reading { set, ..reading }
}

fn text(mut reading: Reading, key: &str, value: &str) -> Reading {
    reading.others.push((key.to_owned(), MetricValue::Text(value.to_owned())));
    of_set(3, reading)
}

fn of_asset(set: u32, reading: Reading) -> AssetReading {
    AssetReading {
        origin: reading.origin,
        organization: OrganizationId(ORGANIZATION),
        asset: AssetId(PUMP),
        source_devices: vec![reading.device],
        measured_at: reading.measured_at,
        received_at: reading.received_at,
        set,
        numbers: reading.numbers,
        others: reading.others,
        flaws: Vec::new(),
        doubts: Vec::new(),
    }
}

async fn publish_asset(world: &World, source: u16, readings: Vec<AssetReading>) {
    let pack = AssetPack { sets: metric_sets(&SETS), readings, ..AssetPack::default() };
    world.publish(Stream::TelemetryAsset, &format!("2.{source}"), encode_pack(&pack).unwrap()).await;
}

#[tokio::test]
async fn latest_and_history_agree_on_two_messages_of_one_second() {
    let world = world().await;
    world.readings(1, &SETS, vec![reading(DEVICE, origin(1, 0), seconds(0), &[7.0, 2.0])]).await;
    world.readings(1, &SETS, vec![of_set(1, reading(DEVICE, origin(2, 0), seconds(0), &[3.0]))]).await;
    world.catch_up(&NAMES).await;
    let expected = Metrics::from([("flow".into(), json!(7.0)), ("level".into(), json!(3.0))]);
    assert_eq!(newest_of(&world, DEVICE).await, expected);
    assert_eq!(latest_of(&world, DEVICE).await, expected);
    // A correction with other metrics again, and a late value, which shows nowhere but in the history.
    let corrected = reading(DEVICE, origin(3, 0), seconds(0), &[7.5, 4.0]);
    let late = Reading { received_at: seconds(90), ..reading(DEVICE, origin(3, 1), seconds(-5), &[9.0]) };
    world.readings(1, &SETS, vec![corrected, of_set(1, late)]).await;
    world.catch_up(&NAMES).await;
    let expected = Metrics::from([("flow".into(), json!(7.5)), ("level".into(), json!(4.0))]);
    assert_eq!(newest_of(&world, DEVICE).await, expected);
    assert_eq!(latest_of(&world, DEVICE).await, expected);
    let shown = latest::get(&world.reader, DEVICE).await.unwrap();
    assert_eq!((shown.metrics["level"].measured_at, shown.last_seen), (seconds(0), Some(seconds(90))));
}

#[tokio::test]
async fn latest_and_history_agree_on_a_number_and_a_text_of_one_second() {
    let world = world().await;
    let number = |sequence, value| of_set(1, reading(DEVICE, origin(sequence, 0), seconds(0), &[value]));
    let text = |sequence| text(reading(DEVICE, origin(sequence, 0), seconds(0), &[]), "level", "low");
    world.readings(1, &SETS, vec![number(1, 5.0)]).await;
    world.readings(1, &SETS, vec![text(2)]).await;
    world.catch_up(&NAMES).await;
    let level = |value: Value| Metrics::from([("level".into(), value)]);
    assert_eq!(newest_of(&world, DEVICE).await, level(json!("low")));
    assert_eq!(latest_of(&world, DEVICE).await, level(json!("low")));
    assert_eq!(steps(&world, DEVICE, "level", Step::Minute).await, [], "the number counts no more");
    world.readings(1, &SETS, vec![number(3, 6.0)]).await;
    world.catch_up(&NAMES).await;
    assert_eq!(newest_of(&world, DEVICE).await, level(json!(6.0)));
    assert_eq!(latest_of(&world, DEVICE).await, level(json!(6.0)));
    assert_eq!(steps(&world, DEVICE, "level", Step::Minute).await, [(0, 1, 6.0, 6.0)]);
}

#[tokio::test]
async fn a_value_that_a_stage_publishes_again_does_not_replace_the_last_to_arrive() {
    let world = world().await;
    let value = |device, sequence, value| of_asset(1, reading(device, origin(sequence, 0), seconds(0), &[value]));
    let first = value(DEVICE, 1, 1.0);
    publish_asset(&world, 1, vec![first.clone()]).await;
    publish_asset(&world, 2, vec![value(PUMP, 1, 2.0)]).await;
    world.catch_up(&NAMES).await;
    // The first source restarts, and packs its last value again.
    publish_asset(&world, 1, vec![first]).await;
    world.catch_up(&NAMES).await;
    assert_eq!(newest_of(&world, PUMP).await, Metrics::from([("level".into(), json!(2.0))]));
    assert_eq!(latest_of(&world, PUMP).await, Metrics::from([("level".into(), json!(2.0))]));
}

#[tokio::test]
async fn values_that_an_earlier_version_stored_are_shown_and_replaced() {
    let world = world().await;
    world.readings(1, &SETS, vec![reading(DEVICE, origin(1, 0), seconds(0), &[7.0, 2.0])]).await;
    world.catch_up(&NAMES).await;
    let store = world.store().await;
    let mut redis = store.redis.clone();
    let key = format!("{}latest:{DEVICE}", store.key_prefix);
    let fields: Vec<String> = redis::cmd("HKEYS").arg(&key).query_async(&mut redis).await.unwrap();
    let field = fields.iter().find(|field| field.starts_with("s:")).unwrap();
    let old = format!(r#"{}|{{"v":{{"flow":7.0,"level":1.0}}}}"#, seconds(0).timestamp_micros());
    let _: () = redis::cmd("HSET").arg(&key).arg(field).arg(old).query_async(&mut redis).await.unwrap();
    assert_eq!(latest_of(&world, DEVICE).await["level"], json!(1.0));
    world.readings(1, &SETS, vec![reading(DEVICE, origin(2, 0), seconds(-1), &[0.0, 0.0])]).await;
    world.catch_up(&NAMES).await;
    assert_eq!(latest_of(&world, DEVICE).await["level"], json!(1.0), "a late value replaces nothing");
    world.readings(1, &SETS, vec![reading(DEVICE, origin(3, 0), seconds(0), &[8.0, 3.0])]).await;
    world.catch_up(&NAMES).await;
    assert_eq!(latest_of(&world, DEVICE).await, newest_of(&world, DEVICE).await);
    assert_eq!(latest_of(&world, DEVICE).await["level"], json!(3.0));
}

#[tokio::test]
async fn a_measured_and_a_computed_value_of_one_time_count_once_in_an_hour() {
    let world = world().await;
    // One batch over three hours, of which two have passed: their aggregates are summed in memory.
    let value = |n: u32, set, numbers: &[f64]| {
        of_asset(set, reading(DEVICE, origin(1, n), seconds(i64::from(n) * 60), numbers))
    };
    publish_asset(&world, 1, (0..180).map(|n| value(n, 1, &[1.0])).collect()).await;
    let computed_of =
        |hour: u32, set, numbers: &'static [f64]| (60 * hour..60 * (hour + 1)).map(move |n| value(n, set, numbers));
    // In the first hour with another metric, in the second alone.
    publish_asset(&world, 17, computed_of(0, 0, &[5.0, 9.0]).chain(computed_of(1, 1, &[9.0])).collect()).await;
    world.catch_up(&NAMES).await;
    world.keep_up("telemetry_history").await;
    let expected = [(0, 60, 9.0, 9.0), (HOUR, 60, 9.0, 9.0), (2 * HOUR, 60, 1.0, 1.0)];
    assert_eq!(steps(&world, PUMP, "level", Step::Hour).await, expected);
    check_steps(&world, PUMP, "closed").await;
}

/// A reading of few values at one of few times, so that most of them double or correct another.
fn any_reading(random: &mut StdRng, sequence: u64, ordinal: u32) -> Reading {
    let device = DeviceId(if random.random_bool(0.7) { DEVICE } else { PUMP });
    let at = seconds(random.random_range(0..2) * HOUR + random.random_range(0..4) * 20);
    let set = random.random_range(0..SETS.len());
    let numbers: Vec<f64> = SETS[set].iter().map(|_| f64::from(random.random_range(0..3))).collect();
    let mut plain = reading(device.0, origin(sequence, ordinal), at, &numbers);
    if !SETS[set].contains(&"level") && random.random_bool(0.5) {
        plain.others.push(("level".into(), MetricValue::Text("low".into())));
    }
    of_set(set as u32, plain)
}

/// Publishes readings of a device, and of an asset that has it and another device. Some of the asset's are published
/// again by their stage, after others.
async fn send_any(world: &World, random: &mut StdRng, sequence: u64, sent: &mut BTreeMap<u16, Vec<AssetReading>>) {
    let readings: Vec<_> = (0..5).map(|ordinal| any_reading(random, sequence, ordinal)).collect();
    // The two devices are in different partitions, so each is a source of its own.
    for (source, device) in [(1, DEVICE), (2, PUMP)] {
        let own: Vec<_> = readings.iter().filter(|reading| reading.device.0 == device).cloned().collect();
        if device == DEVICE && !own.is_empty() {
            world.readings(1, &SETS, own.clone()).await;
        }
        let values: Vec<_> = own.into_iter().map(|reading| of_asset(reading.set, reading)).collect();
        publish_asset(world, source, values.clone()).await;
        if let Some(again) = sent.insert(source, values).filter(|_| random.random_bool(0.3)) {
            publish_asset(world, source, again).await;
        }
    }
    world.catch_up(&NAMES).await;
}

#[tokio::test]
async fn doubled_late_and_corrected_values_count_once_everywhere() {
    for seed in 0..4 {
        let (world, mut random, mut sent) = (world().await, StdRng::seed_from_u64(seed), BTreeMap::new());
        for when in ["open", "closed", "compacted", "corrected", "merged"] {
            match when {
                "open" => {
                    for sequence in 1..=6 {
                        send_any(&world, &mut random, sequence, &mut sent).await;
                    }
                }
                "closed" => {
                    // Advances the log's time by a day, with another device.
                    let later = reading(Uuid::from_u128(0x99), origin(7, 0), seconds(30 * HOUR), &[1.0, 1.0]);
                    world.readings(1, &SETS, vec![later]).await;
                    world.catch_up(&NAMES).await;
                }
                "corrected" => send_any(&world, &mut random, 8, &mut sent).await,
                _ => world.keep_up("telemetry_history").await,
            }
            for entity in [DEVICE, PUMP] {
                assert_eq!(latest_of(&world, entity).await, newest_of(&world, entity).await, "seed {seed}, {when}");
                check_steps(&world, entity, &format!("seed {seed}, {when}")).await;
            }
        }
    }
}
