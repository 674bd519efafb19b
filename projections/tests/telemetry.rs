//! The telemetry history against a real database: no loss, no duplicates, and aggregates that agree with the values.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::{ORGANIZATION, World, metric_sets, origin, reading, sample, seconds, t0, with_others, world};
use domain::ids::{AssetId, DeviceId, OrganizationId};
use domain::telemetry::{AssetPack, AssetReading, MetricValue, Quality, encode_pack};
use eventlog::Stream;
use projections::telemetry_history::read::{self as telemetry, Aggregated, Query, Step};
use serde_json::{Value, json};
use uuid::Uuid;

const NAME: &str = "telemetry_history";
const DEVICE: Uuid = Uuid::from_u128(0x11);
const OTHER: Uuid = Uuid::from_u128(0x21);

fn query(metric_key: Option<&str>) -> Query {
    Query {
        entity: DEVICE,
        metric_key: metric_key.map(str::to_owned),
        from: seconds(-100_000),
        until: seconds(100_000),
        limit: 1000,
        newest: true,
    }
}

async fn values(world: &World, query: &Query) -> Vec<(i64, String, Value)> {
    let points = telemetry::raw(&world.reader, query).await.unwrap();
    points.into_iter().map(|p| ((p.measured_at - t0()).num_seconds(), p.metric_key, p.value)).collect()
}

async fn history(world: &World) -> Vec<String> {
    world
        .sql(
            "SELECT metric_key || ' ' || value || ' ' || extract(epoch FROM \"timestamp\" - '2026-01-10T10:00:00Z')::int
             FROM telemetry_history ORDER BY \"timestamp\", metric_key",
        )
        .await
}

#[tokio::test]
async fn late_and_repeated_readings_appear_once_and_the_last_to_arrive_counts() {
    let world = world().await;
    let first = [
        reading(DEVICE, origin(1, 0), seconds(0), &[1.0]),
        reading(DEVICE, origin(1, 1), seconds(10), &[2.0]),
        reading(DEVICE, origin(1, 2), seconds(10), &[2.0]),
        reading(DEVICE, origin(1, 3), seconds(20), &[3.0]),
    ];
    world.readings(1, &[&["temp"]], first.to_vec()).await;
    world.catch_up(&[NAME]).await;
    let second = [
        reading(DEVICE, origin(2, 0), seconds(5), &[1.5]),
        reading(DEVICE, origin(2, 1), seconds(10), &[2.5]),
        reading(DEVICE, origin(2, 2), seconds(30), &[4.0]),
    ];
    world.readings(1, &[&["temp"]], second.to_vec()).await;
    world.catch_up(&[NAME]).await;
    assert_eq!(history(&world).await, ["temp 1 0", "temp 1.5 5", "temp 2.5 10", "temp 3 20", "temp 4 30"]);
    let expected = [(0, 1.0), (5, 1.5), (10, 2.5), (20, 3.0), (30, 4.0)].map(|(at, v)| (at, "temp".into(), json!(v)));
    assert_eq!(values(&world, &query(None)).await, expected);
    assert_eq!(values(&world, &query(Some("temp"))).await, expected);
    let range = format!(
        "SELECT value FROM telemetry_range('{DEVICE}', 'temp', '2026-01-10T10:00:05Z', '2026-01-10T10:00:20Z')"
    );
    assert_eq!(world.sql(&range).await, ["1.5", "2.5"]);
}

#[tokio::test]
async fn two_readings_of_one_time_with_different_metrics_are_both_kept() {
    let world = world().await;
    let mut port = reading(DEVICE, origin(1, 1), seconds(0), &[7.0]);
    port.set = 1;
    let first = reading(DEVICE, origin(1, 0), seconds(0), &[1.0]);
    world.readings(1, &[&["temp"], &["flow"]], vec![first, port]).await;
    world.catch_up(&[NAME]).await;
    assert_eq!(history(&world).await, ["flow 7 0", "temp 1 0"]);
}

#[tokio::test]
async fn a_value_applied_from_a_source_is_not_applied_again_even_after_a_restart() {
    let world = world().await;
    let readings = [1.0, 2.0, 3.0].map(|v| reading(DEVICE, origin(1, v as u32), seconds(v as i64), &[v]));
    world.readings(1, &[&["temp"]], readings[..2].to_vec()).await;
    world.catch_up(&[NAME]).await;
    // The stage has restarted and packs the same values differently.
    world.readings(1, &[&["temp"]], readings.to_vec()).await;
    world.catch_up(&[NAME]).await;
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_row").await, ["3"]);
    // Another source has its own origins.
    world.readings(2, &[&["temp"]], vec![reading(DEVICE, origin(1, 0), seconds(9), &[9.0])]).await;
    world.catch_up(&[NAME]).await;
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_row").await, ["4"]);
}

#[tokio::test]
async fn older_readings_still_go_to_the_late_table_after_a_restart() {
    let world = world().await;
    world.readings(1, &[&["temp"]], vec![reading(DEVICE, origin(1, 0), seconds(100), &[1.0])]).await;
    world.catch_up(&[NAME]).await;
    let next = [50, 100, 101].map(|at| reading(DEVICE, origin(2, at as u32), seconds(at), &[2.0]));
    world.readings(1, &[&["temp"]], next.to_vec()).await;
    world.catch_up(&[NAME]).await;
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_late").await, ["2"]);
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_reading").await, ["2"]);
}

#[tokio::test]
async fn text_boolean_values_and_qualities_are_read_back() {
    let world = world().await;
    let plain = reading(DEVICE, origin(1, 0), seconds(0), &[1.0]);
    world.readings(1, &[&["temp"]], vec![with_others(plain, "open", MetricValue::Boolean(true), "temp")]).await;
    world.catch_up(&[NAME]).await;
    let points = telemetry::raw(&world.reader, &query(None)).await.unwrap();
    let shown: Vec<_> = points.iter().map(|p| (p.metric_key.as_str(), &p.value, p.quality.as_str())).collect();
    assert_eq!(shown, [("open", &json!(true), "good"), ("temp", &json!(1.0), "uncertain")]);
    assert_eq!(values(&world, &query(Some("open"))).await, [(0, "open".into(), json!(true))]);
}

#[tokio::test]
async fn a_limit_returns_the_newest_or_the_oldest_in_time_order() {
    let world = world().await;
    let readings = (0..10).map(|n| reading(DEVICE, origin(1, n), seconds(i64::from(n)), &[f64::from(n)]));
    world.readings(1, &[&["temp"]], readings.collect()).await;
    world.catch_up(&[NAME]).await;
    let times = |found: Vec<(i64, String, Value)>| found.into_iter().map(|(at, ..)| at).collect::<Vec<_>>();
    let three = Query { limit: 3, ..query(None) };
    assert_eq!(times(values(&world, &three).await), [7, 8, 9]);
    assert_eq!(times(values(&world, &Query { newest: false, ..three.clone() }).await), [0, 1, 2]);
    let span = Query { from: seconds(4), until: seconds(6), ..query(None) };
    assert_eq!(times(values(&world, &span).await), [4, 5]);
    assert!(values(&world, &Query { entity: OTHER, ..query(None) }).await.is_empty());
}

#[tokio::test]
async fn values_of_an_asset_list_their_quality_and_source_devices() {
    let world = world().await;
    let value = |ordinal, device, at, number| AssetReading {
        origin: origin(1, ordinal),
        organization: OrganizationId(ORGANIZATION),
        asset: AssetId(sample::PUMP),
        source_devices: vec![DeviceId(device)],
        measured_at: seconds(at),
        received_at: seconds(at),
        set: 0,
        numbers: vec![number],
        others: Vec::new(),
        flaws: vec![],
        doubts: if number == 20.0 { vec![("power".into(), Quality::Uncertain)] } else { vec![] },
    };
    let readings = vec![value(0, DEVICE, 60, 10.0), value(1, OTHER, 30, 20.0), value(2, OTHER, 60, 30.0)];
    let pack = AssetPack { sets: metric_sets(&[&["power"]]), readings, ..AssetPack::default() };
    world.publish(Stream::TelemetryAsset, "2.1", encode_pack(&pack).unwrap()).await;
    world.catch_up(&[NAME]).await;
    let asked = Query { entity: sample::PUMP, ..query(Some("power")) };
    let points = telemetry::raw(&world.reader, &asked).await.unwrap();
    let shown: Vec<_> = points.iter().map(|p| (p.value.clone(), &*p.quality, p.source_devices.clone())).collect();
    assert_eq!(shown, [(json!(20.0), "uncertain", vec![OTHER]), (json!(30.0), "good", vec![OTHER])]);
    let steps = telemetry::aggregate(&world.reader, &asked, Step::FiveMinutes).await.unwrap();
    assert_eq!((steps[0].mean, steps[0].count, steps[0].source_devices.len()), (25.0, 2, 1));
    assert_eq!(world.sql("SELECT entity_type FROM telemetry_history LIMIT 1").await, ["Asset"]);
}

fn step(start: i64, mean: f64, minimum: f64, maximum: f64, count: i64) -> Aggregated {
    let start = seconds(start);
    Aggregated { start, metric_key: "temp".into(), mean, minimum, maximum, count, source_devices: Vec::new() }
}

#[tokio::test]
async fn minute_aggregates_include_late_values() {
    let world = world().await;
    let readings = [(0, 1.0), (30, 3.0), (60, 5.0), (400, 9.0), (10, 5.0)];
    let readings = readings.iter().enumerate();
    let readings = readings.map(|(n, (at, v))| reading(DEVICE, origin(1, n as u32), seconds(*at), &[*v]));
    world.readings(1, &[&["temp"]], readings.collect()).await;
    world.catch_up(&[NAME]).await;
    let minutes = telemetry::aggregate(&world.reader, &query(None), Step::Minute).await.unwrap();
    assert_eq!(minutes, [step(0, 3.0, 1.0, 5.0, 3), step(60, 5.0, 5.0, 5.0, 1), step(360, 9.0, 9.0, 9.0, 1)]);
    let fives = telemetry::aggregate(&world.reader, &query(Some("temp")), Step::FiveMinutes).await.unwrap();
    assert_eq!(fives, [step(0, 3.5, 1.0, 5.0, 4), step(300, 9.0, 9.0, 9.0, 1)]);
}

fn bounded(from: i64, until: i64) -> Query {
    Query { from: seconds(from), until: seconds(until), ..query(None) }
}

#[tokio::test]
async fn aggregates_count_only_values_of_the_range() {
    let world = world().await;
    let readings = [(10, 1.0), (20, 2.0), (40, 4.0), (59, 6.0)].into_iter().zip(0..);
    let readings = readings.map(|((at, v), n)| reading(DEVICE, origin(1, n), seconds(at), &[v]));
    world.readings(1, &[&["temp"]], readings.collect()).await;
    world.catch_up(&[NAME]).await;
    for aggregation in [Step::Minute, Step::FiveMinutes, Step::Hour] {
        let of =
            async |from, until| telemetry::aggregate(&world.reader, &bounded(from, until), aggregation).await.unwrap();
        assert_eq!(of(30, 60).await, [step(0, 5.0, 4.0, 6.0, 2)], "{aggregation:?}");
        assert_eq!(of(20, 59).await, [step(0, 3.0, 2.0, 4.0, 2)], "{aggregation:?}");
        assert_eq!(of(21, 40).await, [], "{aggregation:?}");
        assert_eq!(of(60, 90).await, [], "{aggregation:?}");
    }
}

/// Aggregates the values of a range one by one.
async fn expected(world: &World, query: &Query, aggregation: Step) -> Vec<Aggregated> {
    let length = match aggregation {
        Step::Minute => 60,
        Step::FiveMinutes => 300,
        Step::Hour => 3_600,
    };
    let mut steps: std::collections::BTreeMap<i64, Vec<f64>> = Default::default();
    for (at, _, value) in values(world, query).await {
        steps.entry(at.div_euclid(length) * length).or_default().push(value.as_f64().unwrap());
    }
    let aggregated = steps.into_iter().map(|(start, values)| {
        let extreme = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick).unwrap();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        step(start, mean, extreme(f64::min), extreme(f64::max), values.len() as i64)
    });
    aggregated.collect()
}

#[tokio::test]
async fn aggregates_are_those_of_the_values_whatever_the_range_and_wherever_they_are_stored() {
    let world = world().await;
    // Hours that are stored from memory, dirty ones, open ones, and finally compacted ones.
    send(&world, 1, (0..300).map(|n| (n * 97, n as f64))).await;
    let late = [(30, 0, 7.0), (3_600, 1, 8.0), (7_199, 2, 9.0)];
    let late = late.map(|(at, n, v)| reading(DEVICE, origin(2, n), seconds(at), &[v]));
    world.readings(1, &[&["temp"]], late.to_vec()).await;
    world.catch_up(&[NAME]).await;
    for (sequence, when) in [(3, "dirty"), (4, "recomputed"), (5, "compacted")] {
        for from in [-1, 0, 30, 1_800, 3_599, 3_600, 3_601, 7_200, 28_000] {
            for until in [31, 3_600, 3_660, 7_200, 9_000, 28_800, 29_000, 40_000] {
                for aggregation in [Step::Minute, Step::FiveMinutes, Step::Hour] {
                    let asked = bounded(from, until);
                    let told = telemetry::aggregate(&world.reader, &asked, aggregation).await.unwrap();
                    assert_eq!(told, expected(&world, &asked, aggregation).await, "{when}, {from}..{until}");
                }
            }
        }
        send(&world, sequence, [(sequence as i64 * 40_000, 1.0)]).await;
    }
}

#[tokio::test]
async fn two_greatest_doubles_in_an_hour_do_not_fail_the_aggregates() {
    let world = world().await;
    let send = async |sequence, readings: &[(i64, f64)]| {
        let readings = readings.iter().zip(0..);
        let readings = readings.map(|((at, v), n)| reading(DEVICE, origin(sequence, n), seconds(*at), &[*v, 5.0]));
        world.readings(1, &[&["peak", "temp"]], readings.collect()).await;
        world.catch_up(&[NAME]).await;
    };
    let greatest = f64::MAX;
    let peak = |maximum, mean, count| {
        let start = seconds(0);
        Aggregated { start, metric_key: "peak".into(), mean, minimum: greatest, maximum, count, source_devices: vec![] }
    };
    let all = async |aggregation| telemetry::aggregate(&world.reader, &bounded(0, 3_600), aggregation).await.unwrap();
    // The hour is closed, and its sum, which is no float, is stored.
    send(1, &[(0, greatest), (10, greatest), (2 * 3_600, 1.0)]).await;
    assert_eq!(world.sql("SELECT sums[1] FROM telemetry_hour").await, ["Infinity"]);
    for aggregation in [Step::Minute, Step::FiveMinutes, Step::Hour] {
        assert_eq!(all(aggregation).await, [peak(greatest, greatest, 2), step(0, 5.0, 5.0, 5.0, 2)]);
    }
    send(2, &[(20, greatest)]).await;
    for when in ["dirty", "recomputed"] {
        assert_eq!(all(Step::Hour).await, [peak(greatest, greatest, 3), step(0, 5.0, 5.0, 5.0, 3)], "{when}");
        world.keep_up(NAME).await;
    }
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_dirty_hour").await, ["0"]);
    // Opposite ones cancel out.
    send(3, &[(30, -greatest), (40, -greatest), (50, -greatest), (60, 12.0)]).await;
    world.keep_up(NAME).await;
    let hour = &all(Step::Hour).await[0];
    assert_eq!((hour.mean, hour.minimum, hour.maximum, hour.count), (12.0 / 7.0, -greatest, greatest, 7));
}

/// Returns the hourly aggregates, after checking that stored and recomputed ones agree.
async fn hours(world: &World) -> Vec<Aggregated> {
    let told = telemetry::aggregate(&world.reader, &query(None), Step::Hour).await.unwrap();
    let rows: Vec<String> = world
        .sql("SELECT count(*) || ' ' || avg(value) FROM telemetry_history GROUP BY date_trunc('hour', \"timestamp\") ORDER BY date_trunc('hour', \"timestamp\")")
        .await;
    let shown: Vec<String> = told.iter().map(|hour| format!("{} {}", hour.count, hour.mean)).collect();
    assert_eq!(shown, rows);
    told
}

async fn send(world: &World, sequence: u64, at: impl IntoIterator<Item = (i64, f64)>) {
    let readings = at.into_iter().zip(0..);
    let readings = readings.map(|((at, v), n)| reading(DEVICE, origin(sequence, n), seconds(at), &[v]));
    world.readings(1, &[&["temp"]], readings.collect()).await;
    world.catch_up(&[NAME]).await;
    world.keep_up(NAME).await;
}

async fn stored_hours(world: &World) -> Vec<String> {
    world.sql("SELECT sum(c) FROM telemetry_hour, unnest(counts) c GROUP BY hour ORDER BY hour").await
}

#[tokio::test]
async fn hourly_aggregates_are_correct_while_open_when_closed_and_after_late_values() {
    let world = world().await;
    send(&world, 1, (0..10).map(|n| (n * 60, n as f64))).await;
    assert_eq!(hours(&world).await, [step(0, 4.5, 0.0, 9.0, 10)]);
    assert!(stored_hours(&world).await.is_empty());
    // A new process each time: the state in memory is lost, as in a crash, and the hour is recomputed from the rows.
    send(&world, 2, [(3600 + 700, 20.0)]).await;
    send(&world, 3, [(2 * 3600 + 700, 30.0)]).await;
    send(&world, 4, [(3 * 3600 + 700, 40.0)]).await;
    assert_eq!(hours(&world).await.len(), 4);
    assert_eq!(stored_hours(&world).await, ["10", "1", "1"]);
    send(&world, 5, [(30, 100.0), (60, 7.0)]).await;
    assert_eq!(hours(&world).await[0].count, 11);
    send(&world, 6, [(3 * 3600 + 800, 40.0)]).await;
    assert_eq!(stored_hours(&world).await, ["11", "1", "1"]);
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_dirty_hour").await, ["0"]);
    assert_eq!(hours(&world).await[0], step(0, 151.0 / 11.0, 0.0, 100.0, 11));
}

#[tokio::test]
async fn hours_seen_completely_by_one_process_are_stored_from_memory() {
    let world = world().await;
    // One batch over three hours, of which two have passed.
    let at = (0..180).map(|n| (n * 60, n as f64));
    send(&world, 1, at).await;
    assert_eq!(stored_hours(&world).await, ["60", "60"]);
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_dirty_hour").await, ["0"]);
    assert_eq!(hours(&world).await.len(), 3);
}

#[tokio::test]
async fn hours_get_partitions_become_segments_and_are_dropped_when_expired() {
    let world = world().await;
    let day = |days: i64| -> DateTime<Utc> { t0() + TimeDelta::days(days) };
    let readings = [-1, 0].map(|days| reading(DEVICE, origin(1, (days + 1) as u32), day(days), &[1.0]));
    world.readings(1, &[&["temp"]], readings.to_vec()).await;
    world.catch_up(&[NAME]).await;
    let partitions = "SELECT relname FROM pg_class
        WHERE relname ~ '^telemetry_(reading|segment)_2' AND relkind = 'r' ORDER BY 1";
    let made = world.sql(partitions).await;
    assert_eq!(made, ["0910", "1010", "1011", "1012"].map(|hour| format!("telemetry_reading_202601{hour}")));
    world.keep_up(NAME).await;
    let kept = world.sql(partitions).await;
    assert_eq!(kept[3], "telemetry_segment_20260109");
    assert_eq!(kept[..3], made[1..]);
    world.readings(1, &[&["temp"]], vec![reading(DEVICE, origin(2, 0), day(365), &[1.0])]).await;
    world.catch_up(&[NAME]).await;
    world.keep_up(NAME).await;
    let left = world.sql(partitions).await;
    assert_eq!(left[3], "telemetry_segment_20260110");
    assert_eq!(left.len(), 4, "{left:?}");
    assert_eq!(world.sql("SELECT count(*) FROM telemetry_history").await, ["2"]);
}

#[tokio::test]
async fn the_metrics_of_a_device_are_listed() {
    let world = world().await;
    world.readings(1, &[&["b", "a"]], vec![reading(DEVICE, origin(1, 0), seconds(0), &[1.0, 2.0])]).await;
    world.catch_up(&[NAME]).await;
    assert_eq!(telemetry::metric_keys(&world.reader, DEVICE).await.unwrap(), ["a", "b"]);
}
