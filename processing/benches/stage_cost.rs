//! Measures the CPU cost of one reading with ten metrics in each stage: decoding, deciding and encoding on one thread,
//! without the log. Prints microseconds per reading; run with `cargo bench -p processing --bench stage_cost`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::directory::Directory;
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, RawPack, RawReading, encode_pack};
use eventlog::{Headers, Message, Stream};
use processing::asset_combiner::AssetCombiner;
use processing::asset_processor::AssetProcessor;
use processing::normalizer::Normalizer;
use processing::rule_evaluator::RuleEvaluator;
use processing::stage::{Stage, UnitState, compute};
use serde_json::{Value, json};
use uuid::Uuid;

const DEVICES: u128 = 2_000;
const PACKS: u128 = 400;
const READINGS_PER_PACK: u128 = 100;
/// Raw packs in one batch: the arrivals of a tenth of a second at 10,000 readings a second.
const BATCH: usize = 10;
const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(1));

fn main() {
    for rules in [false, true] {
        let directory = directory(rules);
        let raw = raw_packs();
        let (normalized, normalizer) = run(&Normalizer::default(), &directory, &raw);
        let (values, assets) = run(&AssetProcessor, &directory, &of(&normalized, Stream::TelemetryNormalized));
        let mut asset_stream = of(&values, Stream::TelemetryAsset);
        let (health, scorer) = run(&AssetCombiner, &directory, &asset_stream);
        let (_, devices) = run(&RuleEvaluator, &directory, &of(&normalized, Stream::TelemetryNormalized));
        asset_stream.extend(of(&health, Stream::TelemetryAsset));
        let (events, asset_rules) = run(&RuleEvaluator, &directory, &asset_stream);
        let total = normalizer + assets + scorer + devices + asset_rules;
        println!(
            "rules={rules} normalizer_us={normalizer:.2} asset_processor_us={assets:.2} asset_combiner_us={scorer:.2} \
             rule_evaluator_devices_us={devices:.2} rule_evaluator_assets_us={asset_rules:.2} total_us={total:.2} \
             messages={}+{} events={}",
            normalized.len(),
            values.len(),
            events.len()
        );
    }
}

/// Runs a stage over all input. Returns its output messages and its cost in microseconds per reading.
fn run<S: Stage>(stage: &S, directory: &Directory, input: &[Message]) -> (Vec<Message>, f64) {
    let units: BTreeSet<u16> = (0..S::UNITS).collect();
    let mut unit_states: BTreeMap<u16, UnitState<S::State>> =
        units.iter().map(|unit| (*unit, UnitState::default())).collect();
    let mut published = Vec::new();
    let started = Instant::now();
    let batch = BATCH.max(input.len() * BATCH / PACKS as usize);
    for some in input.chunks(batch) {
        let inputs: Vec<_> =
            some.iter().filter_map(|message| Some((S::unit(message)?, message, S::decode(message).unwrap()))).collect();
        let effects = compute(stage, directory, &mut unit_states, inputs);
        for ((stream, tail), payloads) in effects.messages {
            published.extend(payloads.into_iter().map(|payload| (stream, tail.clone(), payload)));
        }
    }
    let cost = started.elapsed().as_secs_f64() * 1e6 / (PACKS * READINGS_PER_PACK) as f64;
    let published = published.into_iter().zip(1..).map(|((stream, tail, payload), sequence)| Message {
        stream,
        subject: format!("{}.{tail}", stream.subject_root()),
        sequence,
        published_at: at(0),
        headers: Headers::new(),
        payload,
    });
    (published.collect(), cost)
}

fn of(messages: &[Message], stream: Stream) -> Vec<Message> {
    messages.iter().filter(|message| message.stream == stream).cloned().collect()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000 + seconds, 0).unwrap()
}

/// Returns deterministic ids that spread over the partitions as random ones do.
fn id(kind: u128, n: u128) -> Uuid {
    Uuid::new_v5(&Uuid::from_u128(kind), &n.to_be_bytes())
}

fn raw_packs() -> Vec<Message> {
    let packs = (0..PACKS).map(|pack| {
        let readings = (0..READINGS_PER_PACK).map(|n| raw((pack * READINGS_PER_PACK + n) % DEVICES, pack)).collect();
        Message {
            stream: Stream::TelemetryRaw,
            subject: format!("telemetry.raw.v1.{}", pack % 2),
            sequence: pack as u64 + 1,
            published_at: at(0),
            headers: Headers::new(),
            payload: encode_pack(&RawPack { readings }).unwrap().into(),
        }
    });
    packs.collect()
}

/// A reading of ten metrics with decimals, as a simulator or a PLC gateway writes them: about 350 bytes.
fn raw(n: u128, pack: u128) -> RawReading {
    let metrics: BTreeMap<String, f64> = (0..10)
        .map(|m| (format!("metric_number_{m}"), 20.0 + ((n * 7 + pack * 13 + m * 3) % 97) as f64 / 7.0))
        .collect();
    let payload = json!({"ts": at(pack as i64).timestamp_millis(), "seq": pack as u64, "metrics": metrics}).to_string();
    RawReading {
        organization: ORGANIZATION,
        device: DeviceId(id(2, n)),
        received_at: at(pack as i64),
        source: IngestionSource::Mqtt,
        payload: payload.into(),
    }
}

fn directory(rules: bool) -> Directory {
    let (mut directory, mut position) = (Directory::default(), 0);
    let mut apply = |id: Uuid, kind: &str, name: &str, payload: Value| {
        position += 1;
        directory.apply(position, ORGANIZATION, id, &AnyEvent::decode(kind, name, payload).unwrap());
    };
    let metrics: Vec<Value> = (0..10)
        .map(|m| json!({"key": format!("metric_number_{m}"), "minimum": 0.0, "maximum": 100.0, "required": true}))
        .collect();
    let defined = json!({"name": "T", "metrics": metrics, "unknown_metrics": "keep"});
    apply(id(0, 1), "device_type", "DeviceTypeDefined", defined);
    let band = |m| json!({"metric_key": format!("metric_number_{m}"), "limit_low": 0.0, "good_low": 10.0, "good_high": 30.0, "limit_high": 60.0, "weight": 1.0});
    let defined = json!({"name": "A", "derived_metrics": [], "health_model": {"bands": [band(1), band(2)]}});
    apply(id(0, 2), "asset_type", "AssetTypeDefined", defined);
    for n in 0..DEVICES {
        let registered =
            json!({"name": "d", "serial_number": n.to_string(), "device_type_id": id(0, 1), "custom_attributes": {}});
        apply(id(2, n), "device", "DeviceRegistered", registered);
        let registered = json!({"name": "a", "asset_type_id": id(0, 2), "kind": "asset", "custom_attributes": {}});
        apply(id(3, n), "asset", "AssetRegistered", registered);
        let linked = json!({"link_id": id(4, n), "asset_id": id(3, n), "role": "primary", "valid_from": at(-1), "metrics_mapping": {}});
        apply(id(2, n), "device_links", "AssetLinked", linked);
    }
    for n in 0..if rules { 4 } else { 0 } {
        let kind = if n < 2 { "device" } else { "asset" };
        let definition = json!({"name": "r", "entity_type": kind, "metric_key": format!("metric_number_{n}"),
            "condition": {"operator": ">", "value": 33.5}, "severity": "high", "action": {"type": "none"}, "cooldown_seconds": 0, "is_active": true});
        apply(id(5, n), "rule", "RuleDefined", json!({ "definition": definition }));
    }
    directory
}
