//! Audits of tampered copies of a log: every damage is detected, and located where possible.

use std::collections::BTreeMap;

use bytes::Bytes;
use eventlog::audit::{Audit, audit, ends};
use eventlog::store::{Damage, Digest};
use eventlog::{Headers, Log, Publisher, PublisherSettings, Stream};
use serde_json::json;

use crate::support;

/// A message: its subject tail and its payload.
type Stored = (&'static str, Bytes);

/// Returns four commands on each of three aggregates, interleaved.
fn events() -> Vec<Stored> {
    let mut ends = BTreeMap::from(["acme.note.1", "acme.note.2", "other.note.3"].map(|tail| (tail, Digest::GENESIS)));
    let mut stored = Vec::new();
    for version in 1..=4 {
        for (tail, previous) in &mut ends {
            let envelope = json!([{
                "event_id": uuid::Uuid::from_u128(version), "sequence": version, "event_type": "Noted",
                "event_version": "1.0", "payload": {"n": version},
                "metadata": {"command_id": version.to_string(), "previous_hash": previous},
            }]);
            let payload = Bytes::from(envelope.to_string());
            *previous = Digest::of(&payload);
            stored.push((*tail, payload));
        }
    }
    stored
}

/// Returns a new log with these messages.
async fn log_of(stored: &[Stored]) -> Log {
    let log = support::log().await;
    let publisher = Publisher::new(&log, PublisherSettings::default());
    for (tail, payload) in stored {
        publisher.publish(Stream::Es, tail, Headers::new(), payload.clone()).await.unwrap();
    }
    log
}

/// Returns the audit of a tampered copy.
async fn found(tamper: impl FnOnce(&mut Vec<Stored>)) -> Audit {
    let mut stored = events();
    tamper(&mut stored);
    let log = log_of(&stored).await;
    audit(&log, &ends(&log).await.unwrap()).await.unwrap()
}

/// Changes a message's content.
fn rewrite((_, payload): &mut Stored) {
    let text = String::from_utf8(payload.to_vec()).unwrap();
    *payload = Bytes::from(text.replace("{\"n\":", "{\"n\":9"));
}

fn damages(audit: &Audit) -> Vec<(&str, Damage)> {
    audit.breaks.iter().map(|(subject, damage)| (subject.as_str(), damage.damage)).collect()
}

#[tokio::test]
async fn an_untampered_log_is_intact_and_has_a_reproducible_root() {
    let (one, two) = (found(|_| {}).await, found(|_| {}).await);
    assert_eq!((one.ends.len(), one.messages, damages(&one)), (3, 12, vec![]));
    assert_eq!(one.root(), two.root());
    assert_eq!(one.ends["es.acme.note.1"].version, 4);
}

#[tokio::test]
async fn changed_missing_and_reordered_messages_are_located() {
    let changed = found(|stored| rewrite(&mut stored[4])).await;
    assert_eq!(damages(&changed), [("es.acme.note.2", Damage::Changed)]);
    let missing = found(|stored| drop(stored.remove(3))).await;
    assert_eq!(damages(&missing), [("es.acme.note.1", Damage::Missing)]);
    let reordered = found(|stored| stored.swap(5, 8)).await;
    assert_eq!(damages(&reordered), [("es.other.note.3", Damage::Reordered)]);
}

#[tokio::test]
async fn the_root_reveals_damage_that_no_chain_shows() {
    let sealed = found(|_| {}).await.root();
    let dropped = found(|stored| stored.retain(|(tail, _)| *tail != "acme.note.2")).await;
    assert_eq!((damages(&dropped), dropped.ends.len()), (vec![], 2));
    let changed_end = found(|stored| rewrite(&mut stored[11])).await;
    assert_eq!(damages(&changed_end), []);
    let log = log_of(&events()[..10]).await;
    let truncated = audit(&log, &BTreeMap::from([(Stream::Es, 12)])).await.unwrap();
    assert_eq!((damages(&truncated), &truncated.truncated), (vec![], &BTreeMap::from([(Stream::Es, 10)])));
    assert!([dropped, changed_end, truncated].iter().all(|audit| audit.root() != sealed));
}

#[tokio::test]
async fn messages_after_the_audited_position_do_not_count() {
    let log = log_of(&events()).await;
    let until = ends(&log).await.unwrap();
    let before = audit(&log, &until).await.unwrap().root();
    support::publish(&log, Stream::Es, "acme.note.4", 3).await;
    assert_eq!(audit(&log, &until).await.unwrap().root(), before);
}
