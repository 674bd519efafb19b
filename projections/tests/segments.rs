//! Compaction against a real database: whatever arrived in whatever order, every query returns the same before and
//! after, and readings that arrive later for a compacted hour count as they would have before.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{ORGANIZATION, World, metric_sets, origin, reading, seconds, world};
use domain::ids::{AssetId, DeviceId, OrganizationId};
use domain::telemetry::{AssetPack, AssetReading, MetricValue, Quality, Reading, encode_pack};
use eventlog::Stream;
use projections::ownership::writer_options;
use projections::registry::select;
use projections::telemetry_history::read::{self as telemetry, Aggregated, Point, Query, Step};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const NAME: &str = "telemetry_history";
const DEVICES: [Uuid; 3] = [Uuid::from_u128(0x11), Uuid::from_u128(0x12), Uuid::from_u128(0x13)];
const ASSETS: [Uuid; 2] = [Uuid::from_u128(0x21), Uuid::from_u128(0x22)];
const SETS: [&[&str]; 3] = [&["flow", "temp"], &["temp"], &[]];
const HOUR: i64 = 3_600;

/// Returns seconds after the start, mostly from a small set, so that many times are sent repeatedly.
fn time(random: &mut StdRng, hours: std::ops::Range<i64>) -> chrono::DateTime<chrono::Utc> {
    let hour = random.random_range(hours) * HOUR;
    let within = if random.random_bool(0.7) { random.random_range(0..6) * 600 } else { random.random_range(0..HOUR) };
    let finer = if random.random_bool(0.1) { random.random_range(0..1_000_000) } else { 0 };
    seconds(hour + within) + chrono::TimeDelta::microseconds(finer)
}

/// Returns random numbers, other values and qualities.
type Values = (Vec<f64>, Vec<(String, MetricValue)>, Vec<(String, Quality)>);

fn values(random: &mut StdRng, set: usize) -> Values {
    let numbers = SETS[set].iter().map(|_| f64::from(random.random_range(-50..50))).collect();
    let text = ["open", "shut"].choose(random).map(|text| MetricValue::Text((*text).to_owned()));
    let others = text.filter(|_| set == 2 || random.random_bool(0.2)).map(|text| ("state".to_owned(), text));
    let flaws = random.random_bool(0.2).then(|| ("temp".to_owned(), Quality::Uncertain));
    (numbers, others.into_iter().collect(), flaws.into_iter().collect())
}

fn device_reading(random: &mut StdRng, ordinal: u32, sequence: u64, hours: std::ops::Range<i64>, now: i64) -> Reading {
    let set = random.random_range(0..SETS.len());
    let (numbers, others, flaws) = values(random, set);
    let device = *DEVICES.choose(random).unwrap();
    let plain = reading(device, origin(sequence, ordinal), time(random, hours), &numbers);
    Reading { set: set as u32, others, flaws, received_at: seconds(now), ..plain }
}

fn asset_reading(
    random: &mut StdRng,
    ordinal: u32,
    sequence: u64,
    hours: std::ops::Range<i64>,
    now: i64,
) -> AssetReading {
    let set = random.random_range(0..SETS.len());
    let (numbers, others, flaws) = values(random, set);
    AssetReading {
        origin: origin(sequence, ordinal),
        organization: OrganizationId(ORGANIZATION),
        asset: AssetId(*ASSETS.choose(random).unwrap()),
        source_devices: vec![DeviceId(*DEVICES.choose(random).unwrap())],
        measured_at: time(random, hours),
        received_at: seconds(now),
        set: set as u32,
        numbers,
        others,
        flaws: flaws.into_iter().map(|(key, _)| (key, "cannot be computed".to_owned())).collect(),
        doubts: Vec::new(),
    }
}

/// Publishes packs to both streams with readings of these hours, all received at the end of the last hour.
async fn send(world: &World, random: &mut StdRng, sequence: u64, hours: std::ops::Range<i64>) {
    let now = hours.end * HOUR;
    let readings = (0..40).map(|n| device_reading(random, n, sequence, hours.clone(), now)).collect();
    world.readings(1, &SETS, readings).await;
    let readings = (0..40).map(|n| asset_reading(random, n, sequence, hours.clone(), now)).collect();
    let pack = AssetPack { sets: metric_sets(&SETS), readings, ..AssetPack::default() };
    world.publish(Stream::TelemetryAsset, "2.1", encode_pack(&pack).unwrap()).await;
}

#[derive(Debug, PartialEq)]
struct Answers {
    digest: BTreeMap<String, String>,
    points: Vec<Vec<Point>>,
    aggregates: Vec<Vec<Aggregated>>,
    ranges: Vec<Vec<String>>,
    metrics: Vec<Vec<String>>,
}

async fn ask(world: &World) -> Answers {
    let mut answers = Answers {
        digest: world.digest(select(Some(&[NAME.to_owned()])).unwrap()[0]).await,
        points: Vec::new(),
        aggregates: Vec::new(),
        ranges: Vec::new(),
        metrics: Vec::new(),
    };
    for entity in DEVICES.into_iter().chain(ASSETS) {
        for (from, until) in [(-90_000, 900_000), (1_234, 2 * HOUR + 600), (HOUR, 3 * HOUR)] {
            for metric_key in [None, Some("temp"), Some("state")] {
                for (limit, newest) in [(10_000, true), (7, true), (7, false)] {
                    let metric_key = metric_key.map(str::to_owned);
                    let (from, until) = (seconds(from), seconds(until));
                    let query = Query { entity, metric_key, from, until, limit, newest };
                    answers.points.push(telemetry::raw(&world.reader, &query).await.unwrap());
                    for step in [Step::Minute, Step::Hour] {
                        let aggregates = telemetry::aggregate(&world.reader, &query, step).await.unwrap();
                        answers.aggregates.push(aggregates);
                    }
                }
            }
        }
        let sql = format!(
            "SELECT \"timestamp\" || ' ' || value
             FROM telemetry_range('{entity}', 'temp', '2026-01-10T10:10:00Z', '2026-01-10T12:00:00Z')"
        );
        answers.ranges.push(world.sql(&sql).await);
        answers.metrics.push(telemetry::metric_keys(&world.reader, entity).await.unwrap());
    }
    answers
}

/// Compares the answers one by one, so that a failure shows only the one that differs.
fn same(now: &Answers, before: &Answers, when: &str) {
    assert_eq!(now.digest, before.digest, "{when}");
    now.points.iter().zip(&before.points).for_each(|(now, before)| assert_eq!(now, before, "{when}"));
    now.aggregates.iter().zip(&before.aggregates).for_each(|(now, before)| assert_eq!(now, before, "{when}"));
    assert_eq!(now.ranges, before.ranges, "{when}");
    assert_eq!(now.metrics, before.metrics, "{when}");
}

async fn count(world: &World, table: &str) -> u64 {
    world.sql(&format!("SELECT count(*) FROM {table}")).await[0].parse().unwrap()
}

/// Advances the log's time by a day, so that everything before is due for compaction.
async fn advance_a_day(world: &World, sequence: u64) {
    world.readings(1, &SETS, vec![reading(DEVICES[0], origin(sequence, 0), seconds(30 * HOUR), &[1.0, 2.0])]).await;
    world.catch_up(&[NAME]).await;
}

#[tokio::test]
async fn every_query_returns_the_same_before_and_after_compaction() {
    for seed in 0..3 {
        let (world, mut random) = (world().await, StdRng::seed_from_u64(seed));
        for part in 0..4 {
            send(&world, &mut random, 1 + part, 0..(1 + part.cast_signed()).min(3)).await;
            world.catch_up(&[NAME]).await;
        }
        advance_a_day(&world, 9).await;
        let before = ask(&world).await;
        world.keep_up(NAME).await;
        assert!(count(&world, "telemetry_segment").await > 0);
        assert_eq!((count(&world, "telemetry_late").await, count(&world, "telemetry_reading").await), (0, 1));
        same(&ask(&world).await, &before, &format!("seed {seed}"));
    }
}

#[tokio::test]
async fn late_readings_of_compacted_hours_count_and_are_merged_into_segments() {
    for seed in 10..12 {
        let (world, mut random) = (world().await, StdRng::seed_from_u64(seed));
        send(&world, &mut random, 1, 0..3).await;
        world.catch_up(&[NAME]).await;
        advance_a_day(&world, 2).await;
        world.keep_up(NAME).await;
        let compacted = ask(&world).await;
        send(&world, &mut random, 3, 0..3).await;
        world.catch_up(&[NAME]).await;
        let late = ask(&world).await;
        assert_ne!(late, compacted);
        assert!(count(&world, "telemetry_late").await > 60);
        world.keep_up(NAME).await;
        assert_eq!(count(&world, "telemetry_late").await, 0);
        same(&ask(&world).await, &late, &format!("seed {seed}"));
        // A rebuild reads the same log without compaction in between.
        let mut owner = world.owner(NAME).await;
        let entry = select(Some(&[NAME.to_owned()])).unwrap()[0];
        let projections::registry::Storage::Postgres(make) = entry.storage else { panic!("no tables") };
        projections::checkpoint::reset(owner.db().await.unwrap(), NAME, make().tables()).await.unwrap();
        owner.release().await;
        world.catch_up(&[NAME]).await;
        same(&ask(&world).await, &late, &format!("seed {seed}, rebuilt"));
    }
}

#[tokio::test]
async fn a_daily_partition_of_an_earlier_version_is_still_filled_and_then_compacted_whole() {
    let (world, mut random) = (world().await, StdRng::seed_from_u64(20));
    world.sql("SELECT telemetry_add_day('2026-01-10')").await;
    send(&world, &mut random, 1, 0..3).await;
    world.catch_up(&[NAME]).await;
    let partitions = "SELECT name FROM telemetry_spans() ORDER BY name";
    assert_eq!(world.sql(partitions).await, ["telemetry_reading_20260110"]);
    advance_a_day(&world, 9).await;
    let before = ask(&world).await;
    world.keep_up(NAME).await;
    let left = ["16", "17", "18"].map(|hour| format!("telemetry_reading_20260111{hour}"));
    assert_eq!(world.sql(partitions).await, left);
    same(&ask(&world).await, &before, "compacted");
}

#[tokio::test]
async fn a_long_read_makes_compaction_give_up_without_partial_changes() {
    let (world, mut random) = (world().await, StdRng::seed_from_u64(30));
    send(&world, &mut random, 1, 0..3).await;
    world.catch_up(&[NAME]).await;
    advance_a_day(&world, 9).await;
    let before = ask(&world).await;
    let mut reading = world.reader.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM telemetry_history").execute(&mut *reading).await.unwrap();
    let options = writer_options(&world.deps.database_url).unwrap().options([("lock_timeout", "100ms")]);
    let mut db = PgConnection::connect_with(&options).await.unwrap();
    let refused = keep_up(&mut db).await.unwrap_err();
    assert!(format!("{refused:?}").contains("lock timeout"), "{refused:?}");
    assert_eq!(count(&world, "telemetry_segment").await, 0);
    same(&ask(&world).await, &before, "while somebody reads");
    reading.rollback().await.unwrap();
    keep_up(&mut db).await.unwrap();
    same(&ask(&world).await, &before, "afterwards");
    assert_eq!(count(&world, "telemetry_reading").await, 1);
}

#[tokio::test]
async fn upkeep_waits_for_another_process_and_does_not_count_as_done() {
    let (world, mut random) = (world().await, StdRng::seed_from_u64(31));
    send(&world, &mut random, 1, 0..3).await;
    world.catch_up(&[NAME]).await;
    advance_a_day(&world, 9).await;
    let options = writer_options(&world.deps.database_url).unwrap();
    let mut before = PgConnection::connect_with(&options).await.unwrap();
    assert!(projections::telemetry_history::upkeep(&mut before).await.unwrap());
    let hurried = options.clone().options([("lock_timeout", "100ms")]);
    let mut hurried = PgConnection::connect_with(&hurried).await.unwrap();
    let refused = keep_up(&mut hurried).await.unwrap_err();
    assert!(format!("{refused:?}").contains("lock timeout"), "{refused:?}");
    let mut patient = PgConnection::connect_with(&options).await.unwrap();
    let (done, closed) = tokio::join!(keep_up(&mut patient), before.close());
    assert!(done.is_ok() && closed.is_ok());
    assert_eq!(count(&world, "telemetry_reading").await, 1);
}

async fn keep_up(db: &mut PgConnection) -> Result<(), projections::Error> {
    while projections::telemetry_history::upkeep(db).await? {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_the_role_runs_compaction() {
    let (world, shutdown) = (world().await, CancellationToken::new());
    let config = projections::Config { only: Some(vec![NAME.to_owned()]) };
    let role = tokio::spawn(projections::run(world.deps.clone(), config, shutdown.clone()));
    let readings = [0, 30 * HOUR].map(|at| reading(DEVICES[0], origin(1, at as u32), seconds(at), &[1.0, 2.0]));
    world.readings(1, &SETS, readings.to_vec()).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while count(&world, "telemetry_segment").await == 0 {
        assert!(Instant::now() < deadline, "nothing was compacted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(world.sql("SELECT value FROM telemetry_history ORDER BY 1").await, ["1", "1", "2", "2"]);
    shutdown.cancel();
    role.await.unwrap().unwrap();
}
