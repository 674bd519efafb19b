//! Late detection, hourly aggregates and segments, without a database.

use serde_json::{Value, json};
use uuid::Uuid;

use super::decode::{EntityKind, Reading};
use super::hour_aggregates::{Aggregate, MICROS_PER_HOUR, hour_of};
use super::late_detection::{HighWater, RoutedReadings};
use super::merged_reading::{JsonObject, MetricSetKeys, Metrics, StoredReading};
use super::segment::{Segment, segments};
use super::surrogate_keys::KeyedReading;
use super::write::day_of;

fn row(kind: EntityKind, entity: i32, source: i32, measured_at: i64) -> KeyedReading {
    let reading = Reading {
        computed: false,
        entity: Uuid::nil(),
        kind,
        organization: Uuid::nil(),
        measured_at,
        set: 0,
        numbers: vec![1.0],
        others: None,
        flaws: None,
        sources: vec![],
        position: 0,
    };
    KeyedReading { entity, set: 1, sources: if kind == EntityKind::Asset { vec![source] } else { vec![] }, reading }
}

fn times(rows: &[KeyedReading]) -> Vec<i64> {
    rows.iter().map(|row| row.reading.measured_at).collect()
}

#[test]
fn a_reading_not_newer_than_its_entity_is_late() {
    let mut marks = HighWater::default();
    let device = |entity, at| row(EntityKind::Device, entity, 0, at);
    let RoutedReadings { newest, late } =
        marks.route(vec![device(1, 10), device(1, 10), device(1, 5), device(2, 5), device(1, 11)], i64::MIN);
    assert_eq!((times(&newest), times(&late)), (vec![10, 5, 11], vec![10, 5]));
    let next = marks.route(vec![device(1, 11), device(1, 12)], i64::MIN);
    assert_eq!((times(&next.newest), times(&next.late)), (vec![12], vec![11]));
}

#[test]
fn a_reading_of_a_compacted_hour_is_late_even_if_it_is_the_newest() {
    let device = |entity, at| row(EntityKind::Device, entity, 0, at);
    let routed = HighWater::default().route(vec![device(1, 9), device(1, 10), device(1, 9)], 10);
    assert_eq!((times(&routed.newest), times(&routed.late)), (vec![10], vec![9, 9]));
}

#[test]
fn times_of_an_assets_devices_advance_independently() {
    let asset = |source, at| row(EntityKind::Asset, 1, source, at);
    let routed = HighWater::default().route(vec![asset(7, 10), asset(8, 5), asset(8, 6), asset(7, 10)], i64::MIN);
    assert_eq!((times(&routed.newest), times(&routed.late)), (vec![10, 5, 6], vec![10]));
}

#[test]
fn an_aggregate_has_count_minimum_maximum_and_sum_of_each_metric() {
    let mut aggregate = Aggregate::default();
    aggregate.add(&[1.0, -1.0], &[]);
    aggregate.add(&[3.0, -5.0], &[4, 4]);
    assert_eq!((aggregate.counts, aggregate.sums), (vec![2, 2], vec![4.0, -6.0]));
    assert_eq!((aggregate.minima, aggregate.maxima), (vec![1.0, -5.0], vec![3.0, -1.0]));
    assert_eq!(aggregate.sources.into_iter().collect::<Vec<_>>(), [4]);
}

#[test]
fn hours_and_days_before_the_epoch_are_computed_correctly() {
    assert_eq!(
        (hour_of(MICROS_PER_HOUR + 1), hour_of(MICROS_PER_HOUR), hour_of(-1)),
        (MICROS_PER_HOUR, MICROS_PER_HOUR, -MICROS_PER_HOUR)
    );
    assert_eq!(day_of(-1).unwrap().to_string(), "1969-12-31");
}

fn reading(measured_at: i64, numbers: &[f64], position: i64) -> StoredReading {
    StoredReading {
        entity: 1,
        measured_at,
        metrics: Metrics::Set(1),
        numbers: numbers.to_vec(),
        others: None,
        flaws: None,
        sources: Vec::new(),
        position,
    }
}

fn object(key: &str, value: Value) -> Option<JsonObject> {
    Some(JsonObject::from_iter([(key.to_owned(), value)]))
}

fn sets() -> MetricSetKeys {
    MetricSetKeys::from([(1, vec!["flow".into(), "temp".into()]), (2, vec!["temp".into()])])
}

#[test]
fn a_segment_stores_numbers_column_by_column_and_unpacks_to_the_same_readings() {
    let mut readings: Vec<StoredReading> =
        (0..3).map(|n| reading(n * 10_000_000, &[n as f64, -(n as f64)], 0)).collect();
    readings[1].others = object("state", "open".into());
    readings[2].flaws = object("temp", "uncertain".into());
    let made = segments(readings.clone(), &sets());
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].unit, made[0].offsets.clone()), (10_000_000, vec![0, 1, 2]));
    assert_eq!(made[0].numbers, [0.0, 1.0, 2.0, -0.0, -1.0, -2.0]);
    assert_eq!((made[0].hour(), made[0].ends_at()), (0, 20_000_000));
    assert_eq!(made[0].clone().readings(), readings);
}

#[test]
fn a_segment_holds_the_last_value_to_arrive_for_each_time_and_metric() {
    let mut later = reading(5, &[7.0], 9);
    later.metrics = Metrics::Set(2);
    later.flaws = object("power", "bad".into());
    let made = segments(vec![reading(5, &[1.0, 2.0], 3), later, reading(6, &[3.0, 4.0], 4)], &sets());
    let keys = Metrics::Keys(vec!["flow".into(), "temp".into()]);
    let shown: Vec<_> = made.iter().map(|made| (made.starts_at, made.metrics.clone(), made.numbers.clone())).collect();
    assert_eq!(shown, [(5, keys, vec![1.0, 7.0]), (6, Metrics::Set(1), vec![3.0, 4.0])]);
    // A quality without a value is kept as well.
    assert_eq!(made[0].flaws, object("0", json!({"power": "bad"})));
}

#[test]
fn values_of_different_source_devices_are_in_separate_segments() {
    let from = |source, at, position| StoredReading {
        sources: vec![source],
        ..reading(at, &[1.0, f64::from(source)], position)
    };
    let mut temp = StoredReading { metrics: Metrics::Set(2), ..from(8, 5, 2) };
    temp.numbers = vec![8.0];
    let made = segments(vec![from(7, 5, 1), temp, from(7, 6, 3)], &sets());
    let shown: Vec<_> = made.iter().map(|made| (made.sources.clone(), made.numbers.clone())).collect();
    assert_eq!(shown, [(vec![7], vec![1.0]), (vec![8], vec![8.0]), (vec![7], vec![1.0, 7.0])]);
}

#[test]
fn segments_are_split_when_too_large_or_when_offsets_do_not_fit() {
    let many = (0..40_000).map(|n| reading(n * 1_000, &[0.0, 0.0], 0)).collect();
    let counts: Vec<usize> = segments(many, &sets()).iter().map(|made| made.offsets.len()).collect();
    assert_eq!(counts, [32_768, 7_232]);
    let texts =
        (0..5_000).map(|n| StoredReading { others: object("log", "x".repeat(4_096).into()), ..reading(n, &[], 0) });
    let counts: Vec<usize> = segments(texts.collect(), &sets()).iter().map(|made| made.offsets.len()).collect();
    assert_eq!(counts, [2_042, 2_042, 916]);
    let fine = [0, 1, MICROS_PER_HOUR - 2, MICROS_PER_HOUR - 1].map(|at| reading(at, &[0.0, 0.0], 0)).to_vec();
    let made = segments(fine.clone(), &sets());
    assert_eq!(made.iter().map(|made| made.offsets.clone()).collect::<Vec<_>>(), [[0, 1], [0, 1]]);
    assert_eq!(made.into_iter().flat_map(Segment::readings).collect::<Vec<_>>(), fine);
}
