//! Unit tests of the fold and of its rows.

use chrono::DateTime;
use domain::ids::{AssetId, DeviceId};
use domain::telemetry::{
    AssetPack, AssetReading, IngestionSource, MetricSets, MetricValue, NormalizedPack, Origin, Quality, Reading,
    encode_pack,
};
use eventlog::{Headers, Message, Stream};
use serde_json::json;

use super::coalesce::{Newest, coalesce};
use super::read::unfold;
use crate::origin_marks::OriginMarks;
use crate::test_events::{ID, at};

fn reading(set: u32, seconds: i64, number: f64) -> Reading {
    Reading {
        origin: Origin::default(),
        organization: Default::default(),
        device: DeviceId(ID),
        device_type: Default::default(),
        measured_at: at(seconds),
        received_at: at(seconds + 1),
        source: IngestionSource::Mqtt,
        set,
        numbers: vec![number],
        others: vec![],
        flaws: vec![],
    }
}

fn message(readings: Vec<Reading>) -> Message {
    let sets = MetricSets(vec![vec!["temp".into()], vec!["flow".into()]]);
    let pack = NormalizedPack { sets, readings, ..NormalizedPack::default() };
    Message {
        stream: Stream::TelemetryNormalized,
        subject: "telemetry.normalized.v1.3.1".into(),
        sequence: 1,
        published_at: DateTime::UNIX_EPOCH,
        headers: Headers::new(),
        payload: encode_pack(&pack).unwrap().into(),
    }
}

fn newest(readings: Vec<Reading>) -> Vec<Newest> {
    let (mut newest, refused) = coalesce(&mut OriginMarks::default(), [message(readings)].iter());
    assert!(refused.is_empty());
    newest.sort_by(|a, b| a.text.cmp(&b.text));
    newest
}

/// Returns the stored content without the order of arrival.
fn content(newest: &Newest) -> serde_json::Value {
    let mut content: serde_json::Value = serde_json::from_str(newest.text.split_once('|').unwrap().1).unwrap();
    assert_eq!(content.as_object_mut().unwrap().remove("p"), Some(json!(newest.position)));
    content
}

/// Returns what is shown of stored fields.
fn shown(fields: &[(&str, &str)]) -> Vec<(String, serde_json::Value)> {
    let latest = unfold(fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
    latest.metrics.into_iter().map(|(key, latest)| (key, latest.value)).collect()
}

#[test]
fn only_the_newest_reading_of_each_metric_set_is_kept() {
    let found = newest(vec![reading(0, 2, 2.0), reading(0, 1, 1.0), reading(1, 1, 7.0), reading(0, 2, 3.0)]);
    assert_eq!(found.len(), 2);
    assert_eq!((content(&found[0]), content(&found[1])), (json!({"v": {"flow": 7.0}}), json!({"v": {"temp": 3.0}})));
    assert_ne!(found[0].field, found[1].field);
    assert_eq!(found[1].measured_at, at(2).timestamp_micros());
}

#[test]
fn an_older_reading_still_updates_last_seen() {
    let late = Reading { received_at: at(50), ..reading(0, 1, 1.0) };
    let found = newest(vec![reading(0, 2, 2.0), late]);
    assert_eq!((found[0].received_at, content(&found[0])), (at(50).timestamp_micros(), json!({"v": {"temp": 2.0}})));
}

#[test]
fn the_field_name_of_a_metric_set_never_changes() {
    assert_eq!(newest(vec![reading(0, 1, 1.0)])[0].field, "s:23c11048e17de6e8");
}

#[test]
fn other_values_and_qualities_are_kept() {
    let mut full = reading(0, 1, 1.0);
    full.others.push(("mode".into(), MetricValue::Text("auto".into())));
    full.flaws.push(("temp".into(), Quality::Bad));
    let found = newest(vec![full]);
    assert_eq!(content(&found[0]), json!({"v": {"temp": 1.0, "mode": "auto"}, "q": {"temp": "bad"}}));
    let latest = unfold(vec![("s:1".into(), found[0].text.clone()), ("seen".into(), "5".into())]);
    assert_eq!((latest.metrics["temp"].quality.as_str(), latest.metrics["mode"].quality.as_str()), ("bad", "good"));
    assert_eq!(latest.last_seen, DateTime::from_timestamp_micros(5));
}

#[test]
fn the_newest_value_of_a_metric_in_several_sets_is_shown() {
    let fields = [("s:1", r#"20|{"v":{"a":2}}"#), ("s:2", r#"10|{"v":{"a":1,"b":1}}"#), ("s:3", "not one of ours")];
    assert_eq!(shown(&fields), [("a".into(), json!(2)), ("b".into(), json!(1))]);
}

#[test]
fn of_values_of_one_time_in_several_sets_the_last_to_arrive_is_shown() {
    let last = ("s:2", r#"20|{"p":65537,"v":{"a":1}}"#);
    let first = ("s:1", r#"20|{"p":65536,"v":{"a":2,"b":2}}"#);
    let earlier_version = ("s:3", r#"20|{"v":{"a":3,"c":3}}"#);
    for fields in [[last, first, earlier_version], [earlier_version, last, first]] {
        assert_eq!(shown(&fields), [("a".into(), json!(1)), ("b".into(), json!(2)), ("c".into(), json!(3))]);
    }
}

#[test]
fn a_reading_that_was_published_again_is_not_the_last_to_arrive() {
    let of = |sequence, ordinal, number| Reading { origin: Origin { sequence, ordinal }, ..reading(0, 1, number) };
    let from = |source: u8, position, readings| Message {
        subject: format!("telemetry.normalized.v1.3.{source}"),
        sequence: position,
        ..message(readings)
    };
    let log = [from(1, 1, vec![of(7, 0, 1.0)]), from(2, 2, vec![of(3, 0, 2.0)]), from(1, 3, vec![of(7, 0, 1.0)])];
    let mut marks = OriginMarks::default();
    let found = coalesce(&mut marks, log.iter()).0;
    assert_eq!((content(&found[0]), found[0].position), (json!({"v": {"temp": 2.0}}), 2 << 16));
    assert!(coalesce(&mut marks, log.iter()).0.is_empty());
}

#[test]
fn a_metric_that_cannot_be_computed_is_not_shown_with_its_former_value_when_another_recovers() {
    let values = |second, keys: &[&str], failing: &[&str]| AssetReading {
        origin: Origin { sequence: second as u64, ordinal: 0 },
        organization: Default::default(),
        asset: AssetId(ID),
        source_devices: vec![],
        measured_at: at(second),
        received_at: at(second),
        set: match keys {
            ["a", "b"] => 0,
            ["b"] => 1,
            _ => 2,
        },
        numbers: keys.iter().map(|_| second as f64).collect(),
        others: vec![],
        flaws: failing.iter().map(|key| ((*key).to_owned(), "too old".to_owned())).collect(),
        doubts: vec![],
    };
    let sets =
        MetricSets([&["a", "b"][..], &["b"], &[]].map(|set| set.iter().map(|k| (*k).to_owned()).collect()).into());
    let readings =
        vec![values(1, &["a", "b"], &[]), values(2, &["b"], &["a"]), values(3, &[], &["b"]), values(4, &["b"], &[])];
    let pack = AssetPack { sets, readings, ..AssetPack::default() };
    let stored = Message {
        stream: Stream::TelemetryAsset,
        subject: "telemetry.asset.v1.3.17".into(),
        payload: encode_pack(&pack).unwrap().into(),
        ..message(vec![])
    };
    let found = coalesce(&mut OriginMarks::default(), [stored].iter()).0;
    let fields: Vec<_> = found.iter().map(|newest| (newest.field.as_str(), newest.text.as_str())).collect();
    assert_eq!(shown(&fields), [("a".into(), json!(null)), ("b".into(), json!(4.0))]);
}

#[test]
fn an_unreadable_pack_is_rejected_with_its_sequence() {
    let broken = Message { payload: "no pack".into(), sequence: 9, ..message(vec![]) };
    let (found, refused) = coalesce(&mut OriginMarks::default(), [broken].iter());
    assert_eq!((found, refused[0].sequence), (vec![], 9));
}
