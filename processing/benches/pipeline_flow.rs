//! Measures a steady flow of readings through all stages and a nats-server that syncs every message to disk: CPU
//! microseconds per reading of this process and of the server, and the latency from the raw stream to the asset stream.
//! Run with `cargo bench -p processing --bench pipeline_flow`; `RATE` and `SECONDS` set the flow,
//! `LINGER_MS` overrides every stage's linger.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certs::{MasterKey, RootAuthority};
use chrono::{DateTime, Utc};
use commands::{CommandContext, Commands, Keys};
use domain::asset::{Asset, AssetCommand};
use domain::asset_type::{AssetType, AssetTypeCommand};
use domain::device::{Device, DeviceCommand};
use domain::device_links::{DeviceLinks, DeviceLinksCommand, LinkRole};
use domain::device_type::{DeviceType, DeviceTypeCommand};
use domain::ids::{DeviceId, LinkId, OrganizationId};
use domain::rule::{EntityKind, Rule, RuleCommand};
use domain::telemetry::{AssetPack, IngestionSource, RawPack, RawReading, decode_pack, encode_pack};
use eventlog::{Headers, Log, Positions, Publisher, PublisherSettings, Settings, Source, Stream, follow};
use processing::{Config, Deps};
use serde_json::{from_value, json};
use stack::{Options, Server, Stack};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const DEVICES: u128 = 1_000;
/// Readings in one raw pack.
const PER_PACK: u128 = 100;
const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(1));

#[tokio::main]
async fn main() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rate, seconds) = (number("RATE", 10_000_u64), number("SECONDS", 15_u64));
    let folder = std::env::temp_dir().join(format!("argusiq-flow-{}", std::process::id()));
    let stack = Stack::start(Options::durable(&folder).only(Server::Nats)).await.unwrap();
    let log = Log::connect(Settings::new(&stack.urls().nats)).await.unwrap();
    log.declare_streams().await.unwrap();
    let keys = Keys::new(MasterKey::generate().unwrap(), RootAuthority::create("Bench root CA", Utc::now()).unwrap());
    let commands = Commands::open(log.clone(), keys, Arc::new(Utc::now)).await.unwrap();
    provision(&commands).await;
    let shutdown = CancellationToken::new();
    let deps = Deps { log: log.clone(), commands, clock: Arc::new(Utc::now) };
    let role = tokio::spawn(processing::run(deps, config(), shutdown.clone()));
    let (latencies, follower) = watch(&log, shutdown.clone()).await;
    let server = stack.pid(Server::Nats).unwrap();
    let (own_before, server_before) = (cpu("self"), cpu(&server.to_string()));
    let sent = flow(&log, rate, seconds).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while latencies.lock().unwrap().len() < sent && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let per_reading = |before: f64, now: f64| (now - before) * 1e6 / sent as f64;
    let (own, server) = (per_reading(own_before, cpu("self")), per_reading(server_before, cpu(&server.to_string())));
    let mut latencies = std::mem::take(&mut *latencies.lock().unwrap());
    latencies.sort_unstable();
    let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or(-1);
    let mut written = String::new();
    for stream in [Stream::TelemetryNormalized, Stream::TelemetryAsset, Stream::EventsThreshold] {
        written += &format!(" {}={}", stream.name(), log.last_sequence(stream).await.unwrap());
    }
    println!(
        "rate={rate} sent={sent} arrived={} process_cpu_us={own:.1} server_cpu_us={server:.1} p50_ms={} p95_ms={} p99_ms={}{written}",
        latencies.len(),
        at(0.5),
        at(0.95),
        at(0.99)
    );
    drop(follower);
    shutdown.cancel();
    role.await.unwrap().unwrap();
    stack.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// Returns the configuration: every stage with its own linger, or all with `LINGER_MS`.
fn config() -> Config {
    let mut config = Config::new("bench");
    let linger = std::env::var("LINGER_MS").ok().and_then(|text| text.parse().ok());
    config.timing.linger = linger.map(Duration::from_millis);
    config
}

type Latencies = Arc<std::sync::Mutex<Vec<i64>>>;

async fn watch(log: &Log, shutdown: CancellationToken) -> (Latencies, eventlog::Follower) {
    let latencies = Latencies::default();
    let seen = latencies.clone();
    let fold = move |message: &eventlog::Message| {
        let pack: AssetPack = decode_pack(&message.payload).unwrap();
        let now = Utc::now();
        seen.lock().unwrap().extend(pack.readings.iter().map(|reading| (now - reading.received_at).num_milliseconds()));
    };
    let follower = follow(log, vec![Source::all(Stream::TelemetryAsset)], Positions::new(), fold, shutdown).await;
    (latencies, follower)
}

/// Publishes packs at a rate to two shards. Returns the number of readings.
async fn flow(log: &Log, rate: u64, seconds: u64) -> usize {
    let publisher = Publisher::new(log, PublisherSettings::default());
    let packs = rate * seconds / PER_PACK as u64;
    let started = Instant::now();
    for n in 0..packs {
        let due = started + Duration::from_secs_f64(n as f64 * PER_PACK as f64 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        let pack = pack(u128::from(n));
        let (publisher, shard) = (publisher.clone(), (n % 2).to_string());
        // Publish concurrently: the next pack must not wait for this one's acknowledgement.
        tokio::spawn(async move {
            publisher.publish(Stream::TelemetryRaw, &shard, Headers::new(), pack.into()).await.unwrap();
        });
    }
    (packs * PER_PACK as u64) as usize
}

fn pack(n: u128) -> Vec<u8> {
    let now = Utc::now();
    let readings = (0..PER_PACK).map(|k| {
        let device = (n * PER_PACK + k) % DEVICES;
        let metrics: BTreeMap<String, f64> = (0..10)
            .map(|m| (format!("metric_number_{m}"), 20.0 + ((device * 7 + n * 13 + m * 3) % 97) as f64 / 7.0))
            .collect();
        let payload = json!({"ts": now.timestamp_millis(), "metrics": metrics}).to_string();
        RawReading {
            organization: ORGANIZATION,
            device: DeviceId(id(2, device)),
            received_at: now,
            source: IngestionSource::Mqtt,
            payload: payload.into(),
        }
    });
    encode_pack(&RawPack { readings: readings.collect() }).unwrap()
}

/// Returns deterministic ids that spread over the partitions as random ones do.
fn id(kind: u128, n: u128) -> Uuid {
    Uuid::new_v5(&Uuid::from_u128(kind), &n.to_be_bytes())
}

/// Returns the user and system CPU seconds of a process (`proc(5)`: fields 14 and 15, in ticks of 10 ms).
fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

async fn provision(commands: &Commands) {
    let context = |kind: u128, n: u128| CommandContext::system("bench", ORGANIZATION, id(100 + kind, n));
    let command = DeviceTypeCommand::DefineDeviceType {
        name: "T".into(),
        description: None,
        metrics: vec![],
        unknown_metrics: Default::default(),
    };
    commands.execute::<DeviceType>(&context(0, 1), id(0, 1), command).await.unwrap();
    let band = |m| json!({"metric_key": format!("metric_number_{m}"), "limit_low": 0.0, "good_low": 10.0, "good_high": 30.0, "limit_high": 60.0, "weight": 1.0});
    let model = json!({"bands": [band(1), band(2)]});
    let command = AssetTypeCommand::DefineAssetType {
        name: "A".into(),
        description: None,
        icon: None,
        derived_metrics: vec![],
        combination: domain::asset_type::Combination::default(),
        health_model: Some(from_value(model).unwrap()),
    };
    commands.execute::<AssetType>(&context(0, 2), id(0, 2), command).await.unwrap();
    let definition = json!({"name": "r", "entity_type": "asset", "metric_key": "metric_number_3",
        "condition": {"operator": ">", "value": 99.0}, "severity": "high", "action": {"type": "none"}, "cooldown_seconds": 0, "is_active": true});
    let command = RuleCommand::DefineRule { definition: from_value(definition).unwrap() };
    commands.execute::<Rule>(&context(0, 3), id(0, 3), command).await.unwrap();
    for n in 0..DEVICES {
        add(commands, n, &context).await;
    }
}

async fn add(commands: &Commands, n: u128, context: &impl Fn(u128, u128) -> CommandContext) {
    let command = DeviceCommand::RegisterDevice {
        name: format!("d{n}"),
        description: None,
        serial_number: format!("S{n}"),
        device_type_id: id(0, 1).into(),
        custom_attributes: json!({}),
    };
    commands.execute::<Device>(&context(2, n), id(2, n), command).await.unwrap();
    let command = AssetCommand::RegisterAsset {
        name: format!("a{n}"),
        description: None,
        asset_type_id: id(0, 2).into(),
        kind: EntityKind::Asset,
        location: None,
        custom_attributes: json!({}),
        profile: None,
    };
    commands.execute::<Asset>(&context(3, n), id(3, n), command).await.unwrap();
    let command = DeviceLinksCommand::LinkAsset {
        link_id: LinkId(id(4, n)),
        asset_id: id(3, n).into(),
        port: None,
        role: LinkRole::Primary,
        valid_from: DateTime::UNIX_EPOCH,
        valid_until: None,
        metrics_mapping: BTreeMap::new(),
    };
    commands.execute::<DeviceLinks>(&context(4, n), id(2, n), command).await.unwrap();
}
