//! Upkeep of the telemetry history against a real database: stored data that cannot be processed holds up nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{World, origin, reading, seconds, world};
use projections::telemetry_history::read::{self as telemetry, Query, Step};
use serde_json::json;
use uuid::Uuid;

const NAME: &str = "telemetry_history";
const BROKEN: Uuid = Uuid::from_u128(0x11);
const WELL: Uuid = Uuid::from_u128(0x12);
const HOUR: i64 = 3_600;

/// Sends one value a quarter of an hour of both devices.
async fn send(world: &World, sequence: u64, hours: std::ops::Range<i64>) {
    let times = (hours.start * 4..hours.end * 4).map(|quarter| quarter * HOUR / 4 + sequence.cast_signed());
    for (source, device) in [(1, BROKEN), (2, WELL)] {
        let readings = times.clone().zip(0..).map(|(at, n)| reading(device, origin(sequence, n), seconds(at), &[1.0]));
        world.readings(source, &[&["temp"]], readings.collect()).await;
    }
    world.catch_up(&[NAME]).await;
}

/// Counts the rows of both devices in a table.
async fn counts(world: &World, table: &str) -> Vec<String> {
    let count = async |device: Uuid| {
        let sql = format!(
            "SELECT count(*) FROM {table} t JOIN telemetry_entity e ON e.key = t.entity
             WHERE e.entity_id = '{device}'"
        );
        world.sql(&sql).await.remove(0)
    };
    vec![count(BROKEN).await, count(WELL).await]
}

/// Counts the values of a device, hour by hour.
async fn hours(world: &World, device: Uuid) -> Vec<i64> {
    let (from, until) = (seconds(0), seconds(3 * HOUR));
    let query = Query { entity: device, metric_key: None, from, until, limit: 100, newest: true };
    let hours = telemetry::aggregate(&world.reader, &query, Step::Hour).await.unwrap();
    hours.into_iter().map(|hour| hour.count).collect()
}

#[tokio::test]
async fn one_hour_that_fails_does_not_stall_the_upkeep_of_others() {
    let world = world().await;
    send(&world, 1, 0..10).await;
    world.keep_up(NAME).await;
    assert_eq!(counts(&world, "telemetry_segment").await, ["7", "7"]);
    // A segment whose times cannot be computed, and late readings for both devices in that hour and the next.
    let broken = format!(
        "UPDATE telemetry_segment g SET unit = 9223372036854775807 FROM telemetry_entity e
         WHERE e.key = g.entity AND e.entity_id = '{BROKEN}' AND g.hour = '2026-01-10T10:00:00Z'"
    );
    world.sql(&broken).await;
    send(&world, 2, 0..2).await;
    assert_eq!(counts(&world, "telemetry_dirty_hour").await, ["2", "2"]);
    world.keep_up(NAME).await;
    assert_eq!(counts(&world, "telemetry_dirty_hour").await, ["1", "0"]);
    assert_eq!(counts(&world, "telemetry_late").await, ["4", "0"]);
    assert_eq!(hours(&world, WELL).await, [8, 8, 4]);
    let failures = "SELECT step || ': ' || reason FROM telemetry_failure ORDER BY 1";
    let failed = world.sql(failures).await;
    let is_told = |place: usize, told: &str| failed.get(place).is_some_and(|failed| failed.contains(told));
    assert!(failed.len() == 2 && is_told(0, "merge_late: ") && is_told(1, "recompute: "), "{failed:?}");
    assert!(is_told(1, "out of range"), "{failed:?}");
    // It is left out for a while, and then tried again.
    world.sql("UPDATE telemetry_segment SET unit = 1 WHERE unit = 9223372036854775807").await;
    world.keep_up(NAME).await;
    assert_eq!(counts(&world, "telemetry_dirty_hour").await, ["1", "0"]);
    world.sql("UPDATE telemetry_failure SET failed_at = failed_at - interval '11 minutes'").await;
    world.keep_up(NAME).await;
    assert_eq!(counts(&world, "telemetry_dirty_hour").await, ["0", "0"]);
    assert_eq!(counts(&world, "telemetry_late").await, ["0", "0"]);
    assert_eq!(hours(&world, BROKEN).await, [8, 8, 4]);
    assert!(world.sql(failures).await.is_empty());
}

#[tokio::test]
async fn readings_that_cannot_be_compacted_do_not_stall_compaction_and_retention() {
    let world = world().await;
    send(&world, 1, 0..10).await;
    let sql = |numbers: &str| {
        format!(
            "UPDATE telemetry_reading r SET numbers = {numbers} FROM telemetry_entity e
             WHERE e.key = r.entity AND e.entity_id = '{BROKEN}' AND r.measured_at = '2026-01-10T10:15:01Z'"
        )
    };
    world.sql(&sql("ARRAY[NULL]::float8[]")).await;
    world.keep_up(NAME).await;
    // The hour of the device is among the late readings, everything else in segments.
    assert_eq!(counts(&world, "telemetry_segment").await, ["6", "7"]);
    assert_eq!(counts(&world, "telemetry_late").await, ["4", "0"]);
    assert_eq!((hours(&world, BROKEN).await, hours(&world, WELL).await), (vec![4, 4, 4], vec![4, 4, 4]));
    assert_eq!(world.sql("SELECT step FROM telemetry_failure").await, ["merge_late"]);
    world.sql(&sql("ARRAY[1.0]").replace("telemetry_reading", "telemetry_late")).await;
    world.sql("UPDATE telemetry_failure SET failed_at = failed_at - interval '11 minutes'").await;
    world.keep_up(NAME).await;
    assert_eq!(counts(&world, "telemetry_late").await, ["0", "0"]);
    assert_eq!(counts(&world, "telemetry_segment").await, ["7", "7"]);
    assert!(world.sql("SELECT step FROM telemetry_failure").await.is_empty());
    let query =
        Query { entity: BROKEN, metric_key: None, from: seconds(0), until: seconds(HOUR), limit: 100, newest: true };
    let values = telemetry::raw(&world.reader, &query).await.unwrap();
    assert_eq!(values.into_iter().map(|point| point.value).collect::<Vec<_>>(), vec![json!(1.0); 4]);
}
