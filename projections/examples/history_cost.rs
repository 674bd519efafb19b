//! Measures the cost of the telemetry history: CPU seconds per million values, of this process and of all PostgreSQL
//! processes up to the end of a checkpoint, and bytes on disk per value, for writing rows and then for compacting them;
//! and the query latency before and after. `cargo run -p projections --release --example history_cost [batches]
//! [devices]`. The readings are generated before the clock starts; the log is not measured.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, MetricSets, NormalizedPack, Origin, Reading, encode_pack};
use eventlog::{Batch, Consumer, Headers, Message, Outcome, Positions, Stream};
use projections::ownership::{Owner, writer_options};
use projections::runner::Runner;
use projections::telemetry_history::read::{self as telemetry, Query, Step};
use projections::telemetry_history::{self, TelemetryHistory};
use projections::{Reader, RedisServer};
use sqlx::{Connection, PgConnection};
use stack::{Options, Server, Stack};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const METRICS: usize = 10;
const PACKS: u64 = 5;
const READINGS: u64 = 1_000;

#[tokio::main]
async fn main() {
    let argument = |place, default| std::env::args().nth(place).map_or(default, |count| count.parse::<u64>().unwrap());
    let (batches, devices) = (argument(1, 100), argument(2, 10_000));
    let folder = tempfile_folder();
    let stack = Stack::start(Options::durable(&folder)).await.unwrap();
    let url = stack.urls().postgres.clone();
    projections::migrate(&url).await.unwrap();
    let mut owner =
        Owner::acquire(&writer_options(&url).unwrap(), "telemetry_history", &CancellationToken::new()).await.unwrap();
    let mut history = TelemetryHistory::default();
    let mut runner = Runner::new(&mut history, &mut owner);
    runner.resume().await.unwrap();
    let made: Vec<Batch> = (0..batches).map(|number| batch(number, devices)).collect();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::query("CHECKPOINT").execute(&mut admin).await.unwrap();
    // The first batch creates partitions and surrogate keys, once; it is not measured.
    assert!(matches!(runner.handle(&made[0]).await, Outcome::Done));
    let server = stack.pid(Server::Postgres).unwrap();
    let (size, ours, theirs) = (size(&mut admin).await, ticks_of_self(), ticks_of_tree(server));
    for batch in &made[1..] {
        assert!(matches!(runner.handle(batch).await, Outcome::Done));
    }
    let values = (batches - 1) * PACKS * READINGS * METRICS as u64;
    cost("rows", &mut admin, server, (size, ours, theirs), values).await;
    let reader = Reader::connect(&url, &RedisServer::plain(&stack.urls().redis, "none")).await.unwrap();
    ask(&reader, devices).await;
    // Readings of four hours later make the others due for compaction.
    assert!(matches!(runner.handle(&later(batches, devices)).await, Outcome::Done));
    let (size, ours, theirs) =
        (self::size(&mut admin).await - table_size(&mut admin).await, ticks_of_self(), ticks_of_tree(server));
    let mut db = PgConnection::connect_with(&writer_options(&url).unwrap()).await.unwrap();
    while telemetry_history::upkeep(&mut db).await.unwrap() {}
    db.close().await.unwrap();
    cost("segments", &mut admin, server, (size, ours, theirs), values).await;
    ask(&reader, devices).await;
    reader.pool.close().await;
    owner.release().await;
    admin.close().await.unwrap();
    stack.stop().await.unwrap();
    stack::testing::remove_data(&folder).unwrap();
    let _ = fs::remove_dir_all(&folder);
}

fn tempfile_folder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("argusiq-history-cost-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Prints the CPU time spent and the disk space gained since a measurement.
async fn cost(what: &str, admin: &mut PgConnection, server: u32, since: (i64, u64, u64), values: u64) {
    let (size, ours, theirs) = since;
    let ours = ticks_of_self() - ours;
    sqlx::query("CHECKPOINT").execute(&mut *admin).await.unwrap();
    let theirs = ticks_of_tree(server) - theirs;
    let millions = values as f64 / 1e6;
    println!(
        "{what} values={values} client_cpu_s_per_million={:.3} server_cpu_s_per_million={:.3} total={:.3} bytes_per_value={:.1}",
        ours as f64 / 100.0 / millions,
        theirs as f64 / 100.0 / millions,
        (ours + theirs) as f64 / 100.0 / millions,
        (self::size(admin).await - size) as f64 / values as f64,
    );
}

/// Prints the median latency, in milliseconds, of queries for one device and metric after another.
async fn ask(reader: &Reader, devices: u64) {
    let (mut raw, mut minutes, mut hours, mut points) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for number in 0..devices.min(50) {
        let metric_key = Some("metric_3".to_owned());
        let (from, until) = (start(), start() + TimeDelta::hours(2));
        let query = Query { entity: device(number).0, metric_key, from, until, limit: 10_000, newest: true };
        let begun = Instant::now();
        points += telemetry::raw(reader, &query).await.unwrap().len();
        raw.push(begun.elapsed());
        for (step, times) in [(Step::Minute, &mut minutes), (Step::Hour, &mut hours)] {
            let begun = Instant::now();
            assert!(!telemetry::aggregate(reader, &query, step).await.unwrap().is_empty());
            times.push(begun.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    println!(
        "  raw={:.2}ms for {} points, 1m={:.2}ms, 1h={:.2}ms",
        median(&mut raw),
        points / devices.min(50) as usize,
        median(&mut minutes),
        median(&mut hours),
    );
}

async fn table_size(admin: &mut PgConnection) -> i64 {
    let sql = "SELECT sum(pg_total_relation_size(to_regclass(name)))::bigint FROM telemetry_spans()";
    sqlx::query_scalar(sql).fetch_one(admin).await.unwrap()
}

/// One reading, four hours after the others.
fn later(batches: u64, devices: u64) -> Batch {
    let mut message = message(batches * PACKS, devices, TimeDelta::hours(4));
    message.sequence += 1;
    let positions =
        Positions::at([(Stream::TelemetryNormalized, message.sequence), (Stream::TelemetryAsset, 0), (Stream::Es, 0)]);
    Batch { messages: vec![message], positions }
}

/// Returns one batch; each pack holds a thousand readings of successive devices.
fn batch(number: u64, devices: u64) -> Batch {
    let messages: Vec<Message> =
        (0..PACKS).map(|pack| message(number * PACKS + pack, devices, TimeDelta::zero())).collect();
    let last = messages.last().unwrap().sequence;
    let positions = Positions::at([(Stream::TelemetryNormalized, last), (Stream::TelemetryAsset, 0), (Stream::Es, 0)]);
    Batch { messages, positions }
}

fn message(number: u64, devices: u64, later: TimeDelta) -> Message {
    let keys = (0..METRICS).map(|metric| format!("metric_{metric}")).collect();
    let readings = (0..READINGS).map(|index| reading(number, index, devices, later)).collect();
    let pack =
        NormalizedPack { es_position: 1, read_up_to: number, sets: MetricSets(vec![keys]), readings, tick: None };
    Message {
        stream: Stream::TelemetryNormalized,
        subject: format!("telemetry.normalized.v1.{}.1", number % 16),
        sequence: number + 1,
        published_at: DateTime::UNIX_EPOCH,
        headers: Headers::new(),
        payload: encode_pack(&pack).unwrap().into(),
    }
}

fn start() -> DateTime<Utc> {
    "2026-01-10T10:00:00Z".parse().unwrap()
}

fn device(number: u64) -> DeviceId {
    DeviceId(Uuid::from_u128(u128::from(number) << 64 | 7))
}

/// Each device measures every ten seconds, at millisecond precision.
fn reading(number: u64, index: u64, devices: u64, later: TimeDelta) -> Reading {
    let count = number * READINGS + index;
    let micros = count * 10_000_000 / devices / 1_000 * 1_000;
    let measured_at = start() + TimeDelta::microseconds(i64::try_from(micros).unwrap()) + later;
    Reading {
        origin: Origin { sequence: number + 1, ordinal: u32::try_from(index).unwrap() },
        organization: OrganizationId(Uuid::from_u128(1)),
        device: device(count % devices),
        device_type: Default::default(),
        measured_at,
        received_at: measured_at,
        source: IngestionSource::Mqtt,
        set: 0,
        numbers: (0..METRICS).map(|metric| ((count / devices) as f64 / 100.0 + metric as f64).sin() * 50.0).collect(),
        others: Vec::new(),
        flaws: Vec::new(),
    }
}

async fn size(admin: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(admin).await.unwrap()
}

/// Returns user and system time of this process, in hundredths of a second.
fn ticks_of_self() -> u64 {
    let fields = stat(std::process::id()).unwrap();
    fields[11] + fields[12]
}

/// Returns the same for a process and its children, ended ones included.
fn ticks_of_tree(root: u32) -> u64 {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let stats: Vec<(u32, Vec<u64>)> = pids.filter_map(|pid: u32| Some((pid, stat(pid)?))).collect();
    let own = stats.iter().filter(|(pid, fields)| *pid == root || fields[1] == u64::from(root));
    let ended = stats.iter().filter(|(pid, _)| *pid == root).map(|(_, fields)| fields[13] + fields[14]).sum::<u64>();
    own.map(|(_, fields)| fields[11] + fields[12]).sum::<u64>() + ended
}

/// Returns the fields of /proc/<pid>/stat after the name: 0 is the state, 1 the parent, 11 and 12 user and system time,
/// 13 and 14 those of ended children (proc(5)).
fn stat(pid: u32) -> Option<Vec<u64>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}
