//! Telemetry retention against a real database: each organisation's own choice, and the default of a year.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use common::{ORGANIZATION, World, origin, reading, t0, world};
use domain::ids::OrganizationId;
use domain::organization::OrganizationEvent;
use domain::telemetry::Reading;
use projections::registry::select;
use uuid::Uuid;

const NAME: &str = "telemetry_history";
const DEVICE: Uuid = Uuid::from_u128(0x11);
/// An organisation with the default retention, and its device.
const NEIGHBOR: Uuid = Uuid::from_u128(0x0c);
const THEIRS: Uuid = Uuid::from_u128(0x12);

fn day(days: i64) -> DateTime<Utc> {
    t0() + TimeDelta::days(days)
}

fn founded() -> OrganizationEvent {
    OrganizationEvent::OrganizationFounded { name: "Acme".into() }
}

fn chose(days: u32) -> OrganizationEvent {
    OrganizationEvent::TelemetryRetentionChanged { days }
}

/// Publishes readings of both organisations on these days, one day after another, each at a different minute.
async fn send(world: &World, sequence: u64, days: impl IntoIterator<Item = i64>) {
    let pairs = days.into_iter().zip(0_u32..).flat_map(|(days, n)| {
        let at = day(days) + TimeDelta::minutes(sequence.cast_signed());
        let ours = reading(DEVICE, origin(sequence, 2 * n), at, &[1.0]);
        let theirs = reading(THEIRS, origin(sequence, 2 * n + 1), at, &[1.0]);
        [ours, Reading { organization: OrganizationId(NEIGHBOR), ..theirs }]
    });
    world.readings(1, &[&["temp"]], pairs.collect()).await;
    catch_up(world).await;
}

async fn catch_up(world: &World) {
    world.catch_up(&[NAME]).await;
    world.keep_up(NAME).await;
}

/// Lists the days on which an entity has aggregates.
async fn hours(world: &World, entity: Uuid) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT extract(day FROM hour - '{}')::int FROM telemetry_hour r JOIN telemetry_entity e
         ON e.key = r.entity WHERE e.entity_id = '{entity}' ORDER BY 1",
        t0().date_naive()
    );
    world.sql(&sql).await
}

/// Lists the day of each value of an entity.
async fn values(world: &World, entity: Uuid) -> Vec<String> {
    let sql = format!(
        "SELECT extract(day FROM \"timestamp\" - '{}')::int FROM telemetry_history
         WHERE entity_id = '{entity}' ORDER BY 1",
        t0().date_naive()
    );
    world.sql(&sql).await
}

#[tokio::test]
async fn each_organisation_keeps_the_days_that_it_chose() {
    let world = world().await;
    world.events("organization", ORGANIZATION, &[founded(), chose(2)]).await;
    // One process sees the whole hour of day 0, and stores its aggregate.
    send(&world, 1, [0, 1]).await;
    assert_eq!(hours(&world, DEVICE).await, ["0"]);
    for days in 2_i64..5 {
        send(&world, days.unsigned_abs(), [days]).await;
    }
    // Days 0 and 1 have expired on day 4.
    assert_eq!(values(&world, DEVICE).await, ["2", "3", "4"]);
    assert_eq!(values(&world, THEIRS).await, ["0", "1", "2", "3", "4"]);
    assert_eq!(hours(&world, DEVICE).await, ["2", "3"]);
    assert_eq!(hours(&world, THEIRS).await, ["0", "1", "2", "3"]);
    // A reading older than the retention is not written; a late one within it is.
    send(&world, 6, [1, 3, 4]).await;
    assert_eq!(values(&world, DEVICE).await, ["2", "3", "3", "4", "4"]);
    assert_eq!(values(&world, THEIRS).await, ["0", "1", "1", "2", "3", "3", "4", "4"]);
    send(&world, 7, [6]).await;
    assert_eq!(values(&world, DEVICE).await, ["4", "4", "6"]);
    assert_eq!(hours(&world, DEVICE).await, ["4"]);
    let kept = world.digest(select(Some(&[NAME.to_owned()])).unwrap()[0]).await;
    world.sql("SELECT read_models_empty(ARRAY['telemetry_retention'])").await;
    world.sql("DELETE FROM projection_checkpoint WHERE name = 'telemetry_history' AND stream = 'ES'").await;
    world.catch_up(&[NAME]).await;
    assert_eq!(world.sql("SELECT kept_days FROM telemetry_retention").await, ["2"]);
    assert_eq!(world.digest(select(Some(&[NAME.to_owned()])).unwrap()[0]).await, kept);
}

#[tokio::test]
async fn a_shorter_retention_removes_data_and_a_longer_one_keeps_more_from_then_on() {
    let world = world().await;
    world.events("organization", ORGANIZATION, &[founded()]).await;
    world.events("organization", NEIGHBOR, &[founded()]).await;
    send(&world, 1, 0..4).await;
    world.event("organization", ORGANIZATION, 2, &chose(1)).await;
    catch_up(&world).await;
    send(&world, 2, [4]).await;
    assert_eq!(values(&world, DEVICE).await, ["3", "4"]);
    world.event("organization", ORGANIZATION, 3, &chose(400)).await;
    catch_up(&world).await;
    send(&world, 3, [4 + 366]).await;
    // The other organisation keeps a year.
    assert_eq!(values(&world, DEVICE).await, ["3", "4", "370"]);
    assert_eq!(values(&world, THEIRS).await, Vec::<String>::from(["370".to_owned()]));
}

#[tokio::test]
async fn days_that_no_organisation_keeps_are_dropped_as_whole_partitions() {
    let world = world().await;
    world.events("organization", ORGANIZATION, &[founded()]).await;
    let ours = async |sequence, days: Range<i64>| {
        let readings = days.zip(0..).map(|(days, n)| reading(DEVICE, origin(sequence, n), day(days), &[1.0]));
        world.readings(1, &[&["temp"]], readings.collect()).await;
        catch_up(&world).await;
    };
    ours(1, 0..4).await;
    world.event("organization", ORGANIZATION, 2, &chose(1)).await;
    catch_up(&world).await;
    ours(2, 4..5).await;
    assert_eq!(
        world.sql("SELECT day - '2026-01-10' FROM telemetry_days_before('2026-01-15') AS day").await,
        ["3", "4"]
    );
    assert_eq!(values(&world, DEVICE).await, ["3", "4"]);
}
