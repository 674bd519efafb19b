//! Dead-letter events in, raw packs out.

use domain::telemetry::decode_pack;
use eventlog::Stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::testing::{ACME, MemoryLog, Plan, at, device, run_stage, sample_directory};

fn envelope(event_type: &str, payload: &Value) -> Value {
    json!([{"event_id": Uuid::from_u128(1), "sequence": 1, "event_type": event_type, "event_version": "1.0",
        "payload": payload, "metadata": {}, "previous_hash": "", "hash": ""}])
}

fn raw_packs_of(events: &[(&str, Value)]) -> Vec<RawPack> {
    let mut log = MemoryLog::default();
    for (event_type, payload) in events {
        let tail = format!("{ACME}.dead_letter.{}", Uuid::from_u128(3));
        log.store(Stream::Es, &tail, envelope(event_type, payload).to_string());
    }
    run_stage(&Redriver, &sample_directory().0, &mut log, &Plan::straight());
    let raw = log.read(Stream::TelemetryRaw);
    assert!(raw.iter().all(|message| message.subject_tail() == "redriven"));
    raw.iter().map(|message| decode_pack(&message.payload).unwrap()).collect()
}

fn redriven(payload: &str) -> (&'static str, Value) {
    let payload = json!({"device": device(1), "received_at": at(5), "payload": payload, "reason": "unknown_metric"});
    ("DeadLetterRedriven", payload)
}

#[test]
fn a_redriven_message_is_published_unchanged_and_a_discarded_one_is_not() {
    let packs =
        raw_packs_of(&[redriven("{}"), ("DeadLetterDiscarded", json!({"comment": null})), redriven("base64:/w==")]);
    let readings: Vec<RawReading> = packs.into_iter().flat_map(|pack| pack.readings).collect();
    let expected = |payload: &'static [u8]| RawReading {
        organization: ACME,
        device: device(1),
        received_at: at(5),
        source: IngestionSource::default(),
        payload: Bytes::from_static(payload),
    };
    assert_eq!(readings, [expected(b"{}"), expected(&[0xff])]);
}
