//! Unit tests of the fold and of its rows.

use chrono::DateTime;
use domain::ids::DeviceId;
use domain::telemetry::{
    IngestionSource, MetricSets, MetricValue, NormalizedPack, Origin, Quality, Reading, encode_pack,
};
use eventlog::{Headers, Message, Stream};
use serde_json::json;

use super::coalesce::{Newest, coalesce};
use super::read::unfold;
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
    let (mut newest, refused) = coalesce([message(readings)].iter());
    assert!(refused.is_empty());
    newest.sort_by(|a, b| a.text.cmp(&b.text));
    newest
}

fn content(newest: &Newest) -> serde_json::Value {
    serde_json::from_str(newest.text.split_once('|').unwrap().1).unwrap()
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
    let fields = [("s:1", "20|{\"v\":{\"a\":2}}"), ("s:2", "10|{\"v\":{\"a\":1,\"b\":1}}"), ("s:3", "not one of ours")];
    let latest = unfold(fields.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec());
    let shown: Vec<_> = latest.metrics.iter().map(|(key, latest)| (key.as_str(), latest.value.clone())).collect();
    assert_eq!(shown, [("a", json!(2)), ("b", json!(1))]);
}

#[test]
fn an_unreadable_pack_is_rejected_with_its_sequence() {
    let broken = Message { payload: "no pack".into(), sequence: 9, ..message(vec![]) };
    let (found, refused) = coalesce([broken].iter());
    assert_eq!((found, refused[0].sequence), (vec![], 9));
}
