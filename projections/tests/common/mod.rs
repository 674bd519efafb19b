//! Shared by the tests of read models: a log and databases for each test, a small sample organisation as events and
//! packs, and running read models to the end of the log.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{DeviceId, OrganizationId, UserId};
use domain::metadata::{Actor, Metadata};
use domain::telemetry::{
    IngestionSource, MetricSets, MetricValue, NormalizedPack, Origin, Quality, Reading, encode_pack,
};
use eventlog::envelope::{Envelope, encode};
use eventlog::{Consumer, Headers, Log, Positions, Publisher, PublisherSettings, Settings, Stream, StreamSizes};
use projections::latest_telemetry::{self, LatestTelemetry, Store};
use projections::ownership::{Owner, writer_options};
use projections::registry::{Entry, Storage, select};
use projections::runner::{Runner, consume_settings};
use projections::{BatchLimits, Deps, Reader, RedisServer, digest};
use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub mod message;
pub mod sample;

pub const ORGANIZATION: Uuid = Uuid::from_u128(0x0a);
pub const USER: Uuid = Uuid::from_u128(0x0b);

/// The start time of all tests.
pub fn t0() -> DateTime<Utc> {
    "2026-01-10T10:00:00Z".parse().unwrap()
}

pub fn seconds(seconds: i64) -> DateTime<Utc> {
    t0() + TimeDelta::seconds(seconds)
}

/// The log and databases of one test.
pub struct World {
    pub log: Log,
    pub deps: Deps,
    pub reader: Reader,
    publisher: Publisher,
}

pub async fn world() -> World {
    let space = stack::testing::space().await;
    let settings = Settings::new(&space.nats).with_prefix(&space.stream_prefix).with_sizes(StreamSizes::small());
    let log = Log::connect(settings).await.unwrap();
    log.declare_streams().await.unwrap();
    projections::migrate(&space.postgres).await.unwrap();
    let redis = RedisServer::plain(&space.redis, &space.key_prefix);
    let reader = Reader::connect(&space.postgres, &redis).await.unwrap();
    let deps = Deps { log: log.clone(), database_url: space.postgres.clone(), redis };
    let publisher = Publisher::new(&log, PublisherSettings::default());
    World { log, deps, reader, publisher }
}

impl World {
    /// Stores an event of an aggregate; returns its position.
    pub async fn event(&self, kind: &str, id: Uuid, version: u64, event: &impl Serialize) -> u64 {
        let envelope = envelope(id, version, event);
        let tail = format!("{ORGANIZATION}.{kind}.{id}");
        self.publish(Stream::for_aggregate(kind), &tail, encode(&[envelope]).unwrap()).await
    }

    /// Stores several events of an aggregate, one message each, from version 1; returns the last position.
    pub async fn events<E: Serialize>(&self, kind: &str, id: Uuid, events: &[E]) -> u64 {
        let mut position = 0;
        for (version, event) in (1..).zip(events) {
            position = self.event(kind, id, version, event).await;
        }
        position
    }

    pub async fn publish(&self, stream: Stream, tail: &str, payload: impl Into<Bytes>) -> u64 {
        self.publisher.publish(stream, tail, Headers::new(), payload.into()).await.unwrap()
    }

    /// Stores a pack of readings of one device partition and source.
    pub async fn readings(&self, source: u16, sets: &[&[&str]], readings: Vec<Reading>) -> u64 {
        let partition = eventlog::partition_of(readings[0].device.0);
        let pack = NormalizedPack { es_position: 0, read_up_to: 0, sets: metric_sets(sets), readings, tick: None };
        let tail = format!("{partition}.{source}");
        self.publish(Stream::TelemetryNormalized, &tail, encode_pack(&pack).unwrap()).await
    }

    /// Runs read models from their checkpoints to the current end of the log.
    pub async fn catch_up(&self, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        for entry in select(Some(&names)).unwrap() {
            self.catch_up_one(entry).await;
        }
    }

    pub async fn catch_up_all(&self) {
        for entry in select(None).unwrap() {
            self.catch_up_one(entry).await;
        }
    }

    /// Runs all upkeep of a read model that is due.
    pub async fn keep_up(&self, name: &'static str) {
        let upkeep = select(Some(&[name.to_owned()])).unwrap()[0].upkeep.unwrap();
        let mut owner = self.owner(name).await;
        while upkeep(owner.db().await.unwrap()).await.unwrap() {}
        owner.release().await;
    }

    async fn catch_up_one(&self, entry: Entry) {
        let mut targets = Positions::new();
        for source in entry.sources() {
            let last = self.log.last_sequence(source.stream).await.unwrap();
            targets.set(source.stream, eventlog::Position::at(last));
        }
        let mut owner = self.owner(entry.name).await;
        match entry.storage {
            Storage::Postgres(make) => {
                let mut projection = make();
                let runner = Runner::new(projection.as_mut(), &mut owner);
                self.run_until(runner, targets).await;
            }
            Storage::Redis => {
                let latest = LatestTelemetry::new(self.store().await, &mut owner);
                self.run_until(latest, targets).await;
            }
        }
        owner.release().await;
    }

    async fn run_until(&self, consumer: impl Consumer, targets: Positions) {
        let pace = BatchLimits { max_messages: 50, max_bytes: 1 << 20, linger_ms: 1 };
        let pace = consume_settings(pace);
        eventlog::run_until(&self.log, consumer, pace, targets, CancellationToken::new()).await.unwrap();
    }

    pub async fn owner(&self, name: &'static str) -> Owner {
        let options = writer_options(&self.deps.database_url).unwrap();
        Owner::acquire(&options, name, &CancellationToken::new()).await.unwrap()
    }

    pub async fn store(&self) -> Store {
        Store::connect(&self.deps.redis).await.unwrap()
    }

    /// Returns the digests of a read model, by table or view.
    pub async fn digest(&self, entry: Entry) -> BTreeMap<String, String> {
        match entry.storage {
            Storage::Postgres(make) => {
                let mut db = self.reader.pool.acquire().await.unwrap();
                digest::compute(&mut db, &make().digests()).await.unwrap()
            }
            Storage::Redis => {
                let digest = latest_telemetry::digest(&self.store().await).await.unwrap();
                BTreeMap::from([("latest".to_owned(), digest)])
            }
        }
    }

    /// Returns the first column of a query, as text.
    pub async fn sql(&self, statement: &str) -> Vec<String> {
        stack::testing::sql(&self.deps.database_url, statement).await.unwrap()
    }
}

pub fn envelope(id: Uuid, version: u64, event: &impl Serialize) -> Envelope {
    let tagged = serde_json::to_value(event).unwrap();
    let (event_type, content) = tagged.as_object().unwrap().iter().next().unwrap();
    Envelope {
        event_id: domain::ids::derive(id, &[event_type, &version.to_string()]),
        sequence: version,
        event_type: event_type.clone(),
        event_version: "1.0".into(),
        payload: to_raw_value(content).unwrap(),
        metadata: metadata(version).to_map(),
    }
}

pub fn metadata(version: u64) -> Metadata {
    Metadata {
        actor: Actor::User(UserId(USER)),
        organization: OrganizationId(ORGANIZATION),
        command_id: Uuid::from_u128(u128::from(version)),
        correlation_id: Uuid::from_u128(1),
        causation_id: None,
        recorded_at: seconds(i64::try_from(version).unwrap()),
        traceparent: None,
    }
}

pub fn metric_sets(sets: &[&[&str]]) -> MetricSets {
    MetricSets(sets.iter().map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()).collect())
}

pub fn origin(sequence: u64, ordinal: u32) -> Origin {
    Origin { sequence, ordinal }
}

/// Returns a reading of metric set 0 that was received a second after it was measured.
pub fn reading(device: Uuid, origin: Origin, measured_at: DateTime<Utc>, numbers: &[f64]) -> Reading {
    Reading {
        origin,
        organization: OrganizationId(ORGANIZATION),
        device: DeviceId(device),
        device_type: Default::default(),
        measured_at,
        received_at: measured_at + TimeDelta::seconds(1),
        source: IngestionSource::Mqtt,
        set: 0,
        numbers: numbers.to_vec(),
        others: Vec::new(),
        flaws: Vec::new(),
    }
}

pub fn with_others(mut reading: Reading, key: &str, value: MetricValue, flawed: &str) -> Reading {
    reading.others.push((key.into(), value));
    reading.flaws.push((flawed.into(), Quality::Uncertain));
    reading
}
