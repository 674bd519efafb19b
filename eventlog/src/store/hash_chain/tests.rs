//! Tests that tamper with copies of an aggregate's messages.

use bytes::Bytes;
use chrono::DateTime;
use serde_json::json;

use super::*;
use crate::message::Headers;
use crate::streams::Stream;

/// Five messages of two events each, at every tenth stream sequence.
fn chain() -> Vec<Message> {
    let mut previous = Digest::GENESIS;
    let message = |n: u64| {
        let envelope = |version: u64| {
            json!({
                "event_id": uuid::Uuid::from_u128(u128::from(version)), "sequence": version, "event_type": "Noted",
                "event_version": "1.0", "payload": {"n": version},
                "metadata": {"command_id": format!("c{n}"), "previous_hash": previous},
            })
        };
        let payload = Bytes::from(json!([envelope(2 * n - 1), envelope(2 * n)]).to_string());
        previous = Digest::of(&payload);
        Message {
            stream: Stream::Es,
            subject: "es.acme.note.1".into(),
            sequence: n * 10,
            published_at: DateTime::UNIX_EPOCH,
            headers: Headers::new(),
            payload,
        }
    };
    (1..=5).map(message).collect()
}

fn rewrite(message: &mut Message, from: &str, to: &str) {
    let text = std::str::from_utf8(&message.payload).unwrap();
    assert!(text.contains(from), "{text}");
    message.payload = Bytes::from(text.replace(from, to));
}

fn broken(position: u64, after: u64, damage: Damage) -> Result<ChainHead, ChainBreak> {
    Err(ChainBreak { position, after, damage })
}

#[test]
fn an_intact_chain_verifies_and_returns_its_end() {
    let messages = chain();
    let head = ChainHead { version: 10, position: 50, hash: Digest::of(&messages[4].payload) };
    assert_eq!(verify_chain(&messages), Ok(head));
    assert_eq!(verify_chain(&[]), Ok(ChainHead::default()));
}

#[test]
fn a_changed_message_is_located() {
    for at in 0..4 {
        let mut messages = chain();
        rewrite(&mut messages[at], r#""n":"#, r#""n":9"#);
        let found = verify_chain(&messages).unwrap_err();
        assert_eq!((found.position, found.damage), ((at as u64 + 1) * 10, Damage::Changed));
    }
}

#[test]
fn a_changed_version_or_link_is_a_changed_message() {
    let mut messages = chain();
    rewrite(&mut messages[2], r#""sequence":5"#, r#""sequence":7"#);
    assert_eq!(verify_chain(&messages), broken(30, 4, Damage::Changed));
    let mut messages = chain();
    let link = Digest::of(&messages[1].payload).to_string();
    rewrite(&mut messages[2], &link, &Digest::of(b"forged").to_string());
    assert_eq!(verify_chain(&messages), broken(30, 4, Damage::Changed));
    messages[2].payload = Bytes::from_static(b"not json");
    assert_eq!(verify_chain(&messages), broken(30, 4, Damage::Changed));
}

#[test]
fn a_missing_message_is_detected_at_any_place() {
    for at in 0..4 {
        let mut messages = chain();
        messages.remove(at);
        let (position, after) = ((at as u64 + 2) * 10, at as u64 * 2);
        assert_eq!(verify_chain(&messages), broken(position, after, Damage::Missing));
    }
}

#[test]
fn reordered_or_duplicated_messages_are_detected() {
    let mut messages = chain();
    messages.swap(1, 3);
    assert_eq!(verify_chain(&messages), broken(40, 2, Damage::Reordered));
    let mut renumbered = messages.clone();
    (1..).zip(&mut renumbered).for_each(|(n, message)| message.sequence = n * 10);
    assert_eq!(verify_chain(&renumbered), broken(20, 2, Damage::Reordered));
    let mut twice = chain();
    twice.insert(2, twice[1].clone());
    assert_eq!(verify_chain(&twice), broken(20, 4, Damage::Reordered));
}

#[test]
fn a_recorded_head_reveals_a_truncated_end_and_a_changed_last_message() {
    let mut messages = chain();
    let recorded = verify_chain(&messages).unwrap();
    assert_eq!(verify_chain_since(&messages, &recorded), Ok(recorded));
    let cut = &messages[..4];
    assert!(verify_chain(cut).is_ok());
    assert_eq!(verify_chain_since(cut, &recorded), broken(50, 8, Damage::Missing));
    rewrite(&mut messages[4], r#""n":10"#, r#""n":11"#);
    assert!(verify_chain(&messages).is_ok());
    assert_eq!(verify_chain_since(&messages, &recorded), broken(50, 10, Damage::Changed));
}

#[test]
fn a_chain_that_grew_since_it_was_recorded_verifies() {
    let messages = chain();
    let recorded = verify_chain(&messages[..2]).unwrap();
    assert_eq!(verify_chain_since(&messages, &recorded).map(|head| head.version), Ok(10));
    assert!(verify_chain_since(&messages, &ChainHead::default()).is_ok());
}
