//! The fixture of these tests: a log of its own, an organisation with devices, assets, rules and a template, and the
//! role running in this process.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certs::{MasterKey, RootAuthority};
use chrono::{DateTime, Utc};
use commands::{CommandContext, Commands, Keys};
use domain::activity_template::{ActivityTemplate, ActivityTemplateCommand};
use domain::asset::{Asset, AssetCommand};
use domain::asset_type::{AssetType, AssetTypeCommand};
use domain::device::{Device, DeviceCommand};
use domain::device_links::{DeviceLinks, DeviceLinksCommand, LinkRole};
use domain::device_type::{DeviceType, DeviceTypeCommand};
use domain::ids::{DeviceId, LinkId, OrganizationId, derive};
use domain::rule::{EntityKind, Rule, RuleCommand};
use domain::telemetry::{IngestionSource, RawPack, RawReading, encode_pack};
use eventlog::{Headers, Log, Member, Publisher, PublisherSettings, Settings, Stream, StreamSizes};
use processing::stage::Timing;
use processing::{Config, Deps, Error, StageName};
use serde_json::{Value, from_value, json};
use stack::testing::{SHARED, TestStack, servers};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub struct TestPlatform {
    pub log: Log,
    pub commands: Commands,
    pub organization: OrganizationId,
    keys: Keys,
    /// URL of the log, for worker processes.
    nats: String,
    prefix: String,
}

/// All stages in an operating-system process, which is killed when the handle is dropped.
pub struct Worker(std::process::Child);

/// A role that runs in a task; it keeps running when the handle is dropped.
pub struct Role {
    pub shutdown: CancellationToken,
    pub task: JoinHandle<Result<(), Error>>,
}

/// The master key of every test platform.
const MASTER_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// 2026-11-23 09:05 UTC plus this many milliseconds.
pub fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_424_700_000 + milliseconds).unwrap()
}

pub fn id(kind: &str, n: u128) -> Uuid {
    derive(Uuid::from_u128(n), &[kind])
}

pub fn device(n: u128) -> DeviceId {
    DeviceId(id("device", n))
}

pub fn asset(n: u128) -> Uuid {
    id("asset", n)
}

async fn nats() -> String {
    static NATS: OnceCell<TestStack> = OnceCell::const_new();
    if std::env::var_os(SHARED).is_some() {
        return servers().await.nats.clone();
    }
    let start = || async { TestStack::start(|options| options.only(stack::Server::Nats)).await.unwrap() };
    NATS.get_or_init(start).await.urls().nats.clone()
}

/// Polls a condition until it holds, for at most `seconds`.
pub async fn until<F: Future<Output = bool>>(seconds: u64, what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl TestPlatform {
    /// Creates devices 0 to 3 of one type, each linked to the asset of the same number. Device temperatures above 80
    /// degrees and asset health scores below 50 are breaches.
    pub async fn new() -> Self {
        // The process id and a counter make the prefix unique for each test.
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (nats, prefix) = (nats().await, format!("p{}-{number}", std::process::id()));
        let settings = Settings::new(nats.clone()).with_prefix(prefix.clone());
        let log = Log::connect(settings.with_sizes(StreamSizes::small())).await.unwrap();
        log.declare_streams().await.unwrap();
        let master = MasterKey::parse(MASTER_KEY).unwrap();
        let keys = Keys::new(master, RootAuthority::create("Test root CA", at(0)).unwrap());
        let commands = Commands::open(log.clone(), keys.clone(), Arc::new(|| at(0))).await.unwrap();
        let platform = Self { log, commands, organization: OrganizationId(id("organization", 0)), keys, nats, prefix };
        platform.define_types().await;
        for n in 0..4 {
            platform.add_device(n).await;
            platform.add_asset(n).await;
        }
        platform.define_rule(1, "device", "temperature", json!({"operator": ">", "value": 80.0})).await;
        platform.define_rule(2, "asset", "health_score", json!({"operator": "<", "value": 50.0})).await;
        platform.define_template().await;
        platform
    }

    /// Starts a worker process with all stages.
    pub fn work(&self, name: &str) -> Worker {
        let tests = std::env::current_exe().unwrap();
        let worker = tests.ancestors().nth(2).unwrap().join("examples/worker");
        let child = std::process::Command::new(&worker).args([&self.nats, &self.prefix, name, MASTER_KEY]).spawn();
        Worker(child.unwrap_or_else(|error| panic!("{}: {error}; cargo test builds it", worker.display())))
    }

    /// Returns the same platform as another process sees it, with its own command side.
    pub async fn as_another_process(&self) -> TestPlatform {
        let commands = Commands::open(self.log.clone(), self.keys.clone(), Arc::new(|| at(0))).await.unwrap();
        let (nats, prefix) = (self.nats.clone(), self.prefix.clone());
        TestPlatform {
            log: self.log.clone(),
            commands,
            organization: self.organization,
            keys: self.keys.clone(),
            nats,
            prefix,
        }
    }

    pub fn context(&self, what: &str, n: u128) -> CommandContext {
        CommandContext::system("test", self.organization, id(what, n))
    }

    async fn define_types(&self) {
        let metrics = from_value(json!([{"key": "temperature", "required": true}])).unwrap();
        let command = DeviceTypeCommand::DefineDeviceType {
            name: "Probe".into(),
            description: None,
            metrics,
            unknown_metrics: Default::default(),
        };
        let context = self.context("define device type", 0);
        self.commands.execute::<DeviceType>(&context, id("device type", 0), command).await.unwrap();
        let model = json!({"bands": [{"metric_key": "heat", "limit_low": -10.0, "good_low": 0.0, "good_high": 50.0, "limit_high": 100.0, "weight": 1.0}]});
        let command = AssetTypeCommand::DefineAssetType {
            name: "Pump".into(),
            description: None,
            icon: None,
            derived_metrics: vec![],
            combination: domain::asset_type::Combination::default(),
            health_model: Some(from_value(model).unwrap()),
        };
        let context = self.context("define asset type", 0);
        self.commands.execute::<AssetType>(&context, id("asset type", 0), command).await.unwrap();
    }

    pub async fn add_device(&self, n: u128) {
        let command = DeviceCommand::RegisterDevice {
            name: format!("Probe {n}"),
            description: None,
            serial_number: format!("S{n}"),
            device_type_id: id("device type", 0).into(),
            custom_attributes: json!({}),
        };
        self.commands.execute::<Device>(&self.context("register device", n), device(n).0, command).await.unwrap();
    }

    async fn add_asset(&self, n: u128) {
        let command = AssetCommand::RegisterAsset {
            name: format!("Pump {n}"),
            description: None,
            asset_type_id: id("asset type", 0).into(),
            kind: EntityKind::Asset,
            location: None,
            custom_attributes: json!({}),
            profile: None,
        };
        self.commands.execute::<Asset>(&self.context("register asset", n), asset(n), command).await.unwrap();
        let command = DeviceLinksCommand::LinkAsset {
            link_id: LinkId(id("link", n)),
            asset_id: asset(n).into(),
            port: None,
            role: LinkRole::Primary,
            valid_from: at(-3_600_000),
            valid_until: None,
            metrics_mapping: BTreeMap::from([("device.temperature".to_owned(), "asset.heat".to_owned())]),
        };
        self.commands.execute::<DeviceLinks>(&self.context("link", n), device(n).0, command).await.unwrap();
    }

    async fn define_rule(&self, n: u128, kind: &str, metric: &str, condition: Value) {
        let definition = json!({"name": format!("rule {n}"), "entity_type": kind, "metric_key": metric, "condition": condition,
            "severity": "critical", "action": {"type": "create_activity"}, "cooldown_seconds": 0, "is_active": true});
        let command = RuleCommand::DefineRule { definition: from_value(definition).unwrap() };
        self.commands.execute::<Rule>(&self.context("define rule", n), id("rule", n), command).await.unwrap();
    }

    async fn define_template(&self) {
        let definition = json!({"name": "Cool it", "trigger_event_type": "THRESHOLD_BREACH", "default_priority": "low",
            "default_due_hours": 2, "is_active": true});
        let command = ActivityTemplateCommand::DefineTemplate { definition: from_value(definition).unwrap() };
        let context = self.context("define template", 0);
        self.commands.execute::<ActivityTemplate>(&context, id("template", 0), command).await.unwrap();
    }

    /// Starts stages under a member name, with frequent snapshots and a short linger.
    pub fn start(&self, member: impl Into<Member>, stages: &[StageName]) -> Role {
        self.start_at(member, stages, Arc::new(|| at(0)))
    }

    /// Starts stages with another clock.
    pub fn start_at(&self, member: impl Into<Member>, stages: &[StageName], clock: processing::Clock) -> Role {
        let shutdown = CancellationToken::new();
        let timing = Timing { snapshot_every: Duration::from_millis(60), linger: Some(Duration::from_millis(5)) };
        let config = Config { stages: stages.to_vec(), timing, ..Config::new(member) };
        let deps = Deps { log: self.log.clone(), commands: self.commands.clone(), clock };
        let task = tokio::spawn(processing::run(deps, config, shutdown.clone()));
        Role { shutdown, task }
    }

    /// Publishes one raw pack; a device always uses the same shard.
    pub async fn send(&self, n: u128, readings: impl IntoIterator<Item = (i64, String)>) -> u64 {
        let readings = readings.into_iter().map(|(received, payload)| RawReading {
            organization: self.organization,
            device: device(n),
            received_at: at(received),
            source: IngestionSource::Mqtt,
            payload: payload.into(),
        });
        let pack = encode_pack(&RawPack { readings: readings.collect() }).unwrap();
        let publisher = Publisher::new(&self.log, PublisherSettings::default());
        publisher.publish(Stream::TelemetryRaw, &(n % 2).to_string(), Headers::new(), pack.into()).await.unwrap()
    }

    /// Publishes one temperature that is measured when it arrives.
    pub async fn measure(&self, n: u128, milliseconds: i64, temperature: f64) -> u64 {
        let payload = json!({"ts": at(milliseconds).timestamp_millis(), "metrics": {"temperature": temperature}});
        self.send(n, [(milliseconds, payload.to_string())]).await
    }

    pub async fn last(&self, stream: Stream) -> u64 {
        self.log.last_sequence(stream).await.unwrap()
    }
}

impl Worker {
    /// Kills the worker, which must still be running.
    pub fn kill(mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "the process ended before it was killed");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Fails only if the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Role {
    /// Shuts the role down gracefully.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Aborts the role at whatever it awaits, as a killed process ends.
    pub async fn kill(self) {
        self.task.abort();
        let ended = self.task.await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the process ended before it was killed");
    }
}
