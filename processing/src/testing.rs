//! Fixtures for unit tests: a sample directory of devices, assets, rules and templates, and an in-memory log on which a
//! stage runs with batches of any size, crashes and repetitions.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::directory::Directory;
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, RawPack, RawReading, encode_pack};
use eventlog::{Headers, Message, Stream};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Command, Effects, Stage, UnitState, compute};

pub const ACME: OrganizationId = OrganizationId(Uuid::from_u128(0xac3e));
pub const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(0x07e7));
pub const DEVICE_TYPE: Uuid = Uuid::from_u128(0xd0);
pub const ASSET_TYPE: Uuid = Uuid::from_u128(0xa0);
pub const BREACH_TEMPLATE: Uuid = Uuid::from_u128(0xb1);
pub const OFFLINE_TEMPLATE: Uuid = Uuid::from_u128(0xb2);
/// A decommissioned device.
pub const RETIRED: DeviceId = DeviceId(Uuid::from_u128(99));

/// The nth device of the sample directory, from 0 to 5.
pub fn device(n: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(0x10 + n))
}

/// The asset that the nth device feeds.
pub fn asset(n: u128) -> Uuid {
    Uuid::from_u128(0x0a50 + n)
}

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000 + seconds, 0).unwrap()
}

/// A directory built from stored events, each at its own position.
#[derive(Default)]
pub struct TestDirectory(pub Directory);

impl TestDirectory {
    pub fn apply(&mut self, id: Uuid, kind: &str, name: &str, payload: Value) -> u64 {
        let position = self.0.position() + 1;
        self.0.apply(position, ACME, id, &AnyEvent::decode(kind, name, payload).unwrap());
        position
    }

    pub fn rule(&mut self, id: u128, kind: &str, entity: Option<Uuid>, metric: &str, condition: Value, action: Value) {
        let definition = json!({"name": format!("rule {id}"), "entity_type": kind, "entity_id": entity, "metric_key": metric,
            "condition": condition, "severity": "high", "action": action, "cooldown_seconds": 3, "is_active": true});
        self.apply(Uuid::from_u128(id), "rule", "RuleDefined", json!({ "definition": definition }));
    }

    pub fn template(&mut self, id: Uuid, trigger: &str) {
        let definition = json!({"name": format!("on {trigger}"), "trigger_event_type": trigger, "default_priority": "low",
            "default_assigned_role": "technician", "default_due_hours": 2, "checklist": [{"item": "look"}], "is_active": true});
        self.apply(id, "activity_template", "ActivityTemplateDefined", json!({ "definition": definition }));
    }

    fn device(&mut self, id: Uuid) {
        let registered =
            json!({"name": "d", "serial_number": id, "device_type_id": DEVICE_TYPE, "custom_attributes": {}});
        self.apply(id, "device", "DeviceRegistered", registered);
    }

    pub fn link(&mut self, device: Uuid, asset: Uuid, mapping: Value) {
        let link = Uuid::from_u128(device.as_u128() << 64 | asset.as_u128());
        let linked = json!({"link_id": link, "asset_id": asset, "role": "primary", "valid_from": at(-1_000_000), "metrics_mapping": mapping});
        self.apply(device, "device_links", "AssetLinked", linked);
    }
}

/// Six devices, each linked to its own asset. A device temperature above 80, an asset heat above 85 for 2 s and a
/// health score below 50 are breaches.
pub fn sample_directory() -> TestDirectory {
    let mut directory = TestDirectory::default();
    let metrics = json!([{"key": "temperature", "minimum": -50.0, "maximum": 500.0, "required": true}, {"key": "on", "kind": "boolean"}]);
    let defined = json!({"name": "T", "metrics": metrics, "unknown_metrics": "keep"});
    directory.apply(DEVICE_TYPE, "device_type", "DeviceTypeDefined", defined);
    let bands = json!([{"metric_key": "heat", "limit_low": -10.0, "good_low": 0.0, "good_high": 50.0, "limit_high": 100.0, "weight": 1.0}]);
    let defined = json!({"name": "A", "derived_metrics": [], "health_model": {"bands": bands}});
    directory.apply(ASSET_TYPE, "asset_type", "AssetTypeDefined", defined);
    for n in 0..6 {
        directory.device(device(n).0);
        let registered = json!({"name": "a", "asset_type_id": ASSET_TYPE, "kind": "asset", "custom_attributes": {}});
        directory.apply(asset(n), "asset", "AssetRegistered", registered);
        directory.link(device(n).0, asset(n), json!({"device.temperature": "asset.heat"}));
    }
    directory.device(RETIRED.0);
    directory.apply(RETIRED.0, "device", "DeviceDecommissioned", json!({"reason": "old"}));
    let make = json!({"type": "create_activity"});
    directory.rule(1, "device", None, "temperature", json!({"operator": ">", "value": 80.0}), make.clone());
    directory.rule(
        2,
        "asset",
        None,
        "heat",
        json!({"operator": ">", "value": 85.0, "duration_seconds": 2}),
        json!({"type": "none"}),
    );
    directory.rule(3, "asset", None, "health_score", json!({"operator": "<", "value": 50.0}), make);
    directory.template(BREACH_TEMPLATE, "THRESHOLD_BREACH");
    directory.template(OFFLINE_TEMPLATE, "DEVICE_OFFLINE");
    directory
}

pub fn raw(device: DeviceId, received: i64, payload: impl Into<Bytes>) -> RawReading {
    RawReading {
        organization: ACME,
        device,
        received_at: at(received),
        source: IngestionSource::Mqtt,
        payload: payload.into(),
    }
}

/// A raw reading of a temperature.
pub fn hot(device: DeviceId, measured: i64, received: i64, temperature: f64) -> RawReading {
    let json = json!({"ts": at(measured).timestamp(), "metrics": {"temperature": temperature}});
    raw(device, received, json.to_string())
}

pub fn pack(readings: Vec<RawReading>) -> Vec<u8> {
    encode_pack(&RawPack { readings }).unwrap()
}

/// In-memory streams that keep everything that was stored.
#[derive(Clone, Default)]
pub struct MemoryLog(BTreeMap<Stream, Vec<Message>>);

impl MemoryLog {
    pub fn store(&mut self, stream: Stream, tail: &str, payload: impl Into<Bytes>) -> Message {
        let messages = self.0.entry(stream).or_default();
        let message = Message {
            stream,
            subject: format!("{}.{tail}", stream.subject_root()),
            sequence: messages.len() as u64 + 1,
            published_at: at(messages.len() as i64),
            headers: Headers::new(),
            payload: payload.into(),
        };
        messages.push(message.clone());
        message
    }

    pub fn read(&self, stream: Stream) -> &[Message] {
        self.0.get(&stream).map_or(&[], Vec::as_slice)
    }
}

/// How to run a stage: the size of each batch, and `Some(n)` where the stage crashes after storing n output messages of
/// the batch.
#[derive(Clone, Debug)]
pub struct Plan {
    pub batches: Vec<(usize, Option<usize>)>,
    pub snapshot_every: usize,
}

impl Plan {
    pub fn straight() -> Self {
        Self { batches: vec![], snapshot_every: 1 }
    }
}

/// Runs a stage over all messages of its input streams and stores what it publishes. Returns the distinct commands that
/// it issued.
pub fn run_stage<S: Stage>(stage: &S, directory: &Directory, log: &mut MemoryLog, plan: &Plan) -> Vec<Command> {
    let units: BTreeSet<u16> = (0..S::UNITS).collect();
    let empty = || units.iter().map(|unit| (*unit, UnitState::<S::State>::default())).collect::<BTreeMap<_, _>>();
    let input: Vec<Message> = S::sources(&units).iter().flat_map(|source| log.read(source.stream).to_vec()).collect();
    let (mut unit_states, mut next, mut given) = (empty(), 0, Vec::new());
    let mut snapshot = (copy::<S>(&unit_states), 0);
    let mut steps = plan.batches.iter().copied();
    let mut count = 0;
    while next < input.len() {
        let (size, crash) = steps.next().unwrap_or((input.len(), None));
        let batch = &input[next..(next + size.max(1)).min(input.len())];
        let inputs = batch.iter().filter_map(|message| Some((S::unit(message)?, message, S::decode(message).unwrap())));
        let effects = compute(stage, directory, &mut unit_states, inputs);
        store(log, effects, crash, &mut given);
        next += batch.len();
        count += 1;
        if crash.is_some() {
            (unit_states, next) = (copy::<S>(&snapshot.0), snapshot.1);
        } else if count % plan.snapshot_every == 0 {
            snapshot = (copy::<S>(&unit_states), next);
        }
    }
    given
}

fn store(log: &mut MemoryLog, effects: Effects, crash: Option<usize>, given: &mut Vec<Command>) {
    for command in effects.commands {
        if !given.contains(&command) {
            given.push(command);
        }
    }
    let messages = effects.messages.into_iter().flat_map(|((stream, tail), payloads)| {
        payloads.into_iter().map(move |payload| (stream, tail.clone(), payload))
    });
    for (stream, tail, payload) in messages.take(crash.unwrap_or(usize::MAX)) {
        log.store(stream, &tail, payload);
    }
}

/// Copies unit states through their stored form, as a snapshot does.
fn copy<S: Stage>(unit_states: &BTreeMap<u16, UnitState<S::State>>) -> BTreeMap<u16, UnitState<S::State>> {
    let copied = unit_states.iter().map(|(unit, unit_state)| {
        let state = rmp_serde::from_slice(&rmp_serde::to_vec(&unit_state.state).unwrap()).unwrap();
        (*unit, unit_state.with_state(state))
    });
    copied.collect()
}
