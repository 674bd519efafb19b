//! What the history of telemetry costs: processor seconds for a million values, of this process and of all PostgreSQL
//! processes to the end of a checkpoint, and bytes on disk for each value. `cargo run -p projections --release --example
//! history_cost [batches]`. The readings are made before the clock starts; the log is not part of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

use chrono::{DateTime, TimeDelta};
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, MetricSets, NormalizedPack, Origin, Reading, encode_pack};
use eventlog::{Batch, Consumer, Headers, Message, Outcome, Positions, Stream};
use projections::ownership::{Owner, writer_options};
use projections::runner::Runner;
use projections::telemetry_history::TelemetryHistory;
use sqlx::{Connection, PgConnection};
use stack::{Options, Server, Stack};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const DEVICES: u64 = 10_000;
const METRICS: usize = 10;
const PACKS: u64 = 5;
const READINGS: u64 = 1_000;

#[tokio::main]
async fn main() {
    let batches: u64 = std::env::args().nth(1).map_or(100, |count| count.parse().unwrap());
    let folder = tempfile_folder();
    let stack = Stack::start(Options::durable(&folder).only(Server::Postgres)).await.unwrap();
    let url = stack.urls().postgres.clone();
    projections::migrate(&url).await.unwrap();
    let mut owner =
        Owner::acquire(&writer_options(&url).unwrap(), "telemetry_history", &CancellationToken::new()).await.unwrap();
    let mut history = TelemetryHistory::default();
    let mut runner = Runner::new(&mut history, &mut owner);
    runner.resume().await.unwrap();
    let made: Vec<Batch> = (0..batches).map(batch).collect();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    sqlx::query("CHECKPOINT").execute(&mut admin).await.unwrap();
    // The first batch makes partitions and learns names, once.
    assert!(matches!(runner.handle(&made[0]).await, Outcome::Done));
    let server = stack.pid(Server::Postgres).unwrap();
    let (size, ours, theirs) = (size(&mut admin).await, ticks_of_self(), ticks_of_tree(server));
    for batch in &made[1..] {
        assert!(matches!(runner.handle(batch).await, Outcome::Done));
    }
    let ours = ticks_of_self() - ours;
    sqlx::query("CHECKPOINT").execute(&mut admin).await.unwrap();
    let theirs = ticks_of_tree(server) - theirs;
    let values = (batches - 1) * PACKS * READINGS * METRICS as u64;
    let millions = values as f64 / 1e6;
    let grown = self::size(&mut admin).await - size;
    println!(
        "values={values} client_cpu_s_per_million={:.3} server_cpu_s_per_million={:.3} total={:.3} bytes_per_value={:.1}",
        ours as f64 / 100.0 / millions,
        theirs as f64 / 100.0 / millions,
        (ours + theirs) as f64 / 100.0 / millions,
        grown as f64 / values as f64,
    );
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

/// One batch: every pack a thousand readings of devices in turn, each device once every ten seconds or so.
fn batch(number: u64) -> Batch {
    let messages: Vec<Message> = (0..PACKS).map(|pack| message(number * PACKS + pack)).collect();
    let last = messages.last().unwrap().sequence;
    let positions = Positions::at([(Stream::TelemetryNormalized, last), (Stream::TelemetryAsset, 0)]);
    Batch { messages, positions }
}

fn message(number: u64) -> Message {
    let keys = (0..METRICS).map(|metric| format!("metric_{metric}")).collect();
    let readings = (0..READINGS).map(|index| reading(number, index)).collect();
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

fn reading(number: u64, index: u64) -> Reading {
    let count = number * READINGS + index;
    let start: DateTime<chrono::Utc> = "2026-01-10T10:00:00Z".parse().unwrap();
    let measured_at = start + TimeDelta::microseconds(i64::try_from(count).unwrap() * 100);
    Reading {
        origin: Origin { sequence: number + 1, ordinal: u32::try_from(index).unwrap() },
        organization: OrganizationId(Uuid::from_u128(1)),
        device: DeviceId(Uuid::from_u128(u128::from(count % DEVICES) << 64 | 7)),
        device_type: Default::default(),
        measured_at,
        received_at: measured_at,
        source: IngestionSource::Mqtt,
        set: 0,
        numbers: (0..METRICS).map(|metric| (count as f64 / 100.0 + metric as f64).sin() * 50.0).collect(),
        others: Vec::new(),
        flaws: Vec::new(),
    }
}

async fn size(admin: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(admin).await.unwrap()
}

/// User and system time of this process, hundredths of a second.
fn ticks_of_self() -> u64 {
    let fields = stat(std::process::id()).unwrap();
    fields[11] + fields[12]
}

/// The same of a process, its children, and those of its children that have ended.
fn ticks_of_tree(root: u32) -> u64 {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let stats: Vec<(u32, Vec<u64>)> = pids.filter_map(|pid: u32| Some((pid, stat(pid)?))).collect();
    let own = stats.iter().filter(|(pid, fields)| *pid == root || fields[1] == u64::from(root));
    let ended = stats.iter().filter(|(pid, _)| *pid == root).map(|(_, fields)| fields[13] + fields[14]).sum::<u64>();
    own.map(|(_, fields)| fields[11] + fields[12]).sum::<u64>() + ended
}

/// The fields of /proc/<pid>/stat after the name: state is 0, parent 1, user and system time 11 and 12, of ended
/// children 13 and 14 (proc(5)).
fn stat(pid: u32) -> Option<Vec<u64>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}
