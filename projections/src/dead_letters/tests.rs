//! Unit tests of the fold and of its rows.

use domain::dead_letter::{SettledLetterEvent, id_of};
use eventlog::{Headers, Message, Stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{letters_of, settled};
use crate::test_events::{ID, ORGANIZATION, USER, at, decoded_event};

fn message(payload: &Value) -> Message {
    Message {
        stream: Stream::TelemetryDlq,
        subject: "telemetry.dlq.x".into(),
        sequence: 9,
        published_at: at(0),
        headers: Headers::new(),
        payload: payload.to_string().into(),
    }
}

#[test]
fn each_letter_of_a_pack_is_a_row_of_its_own() {
    let letter = |payload: &str| {
        json!({"stage": "normalizer", "reason": "unknown_metric", "detail": "no x", "subject": "telemetry.raw.v1.0",
            "organization": ORGANIZATION, "device": ID, "received_at": at(1), "payload": payload})
    };
    let rows = letters_of(&message(&json!([letter("a\u{0}"), letter("b")]))).unwrap();
    assert_eq!((rows[0].id, rows[1].id), (id_of(9, 0), id_of(9, 1)));
    assert_eq!((rows[0].organization_id, rows[0].device_id), (Some(ORGANIZATION), Some(ID)));
    assert_eq!((rows[0].payload.as_str(), rows[1].payload.as_str()), ("a\u{fffd}", "b"));
}

#[test]
fn a_message_unreadable_to_a_consumer_belongs_to_no_organisation() {
    let unreadable = json!({"stage": "device_directory", "reason": "not JSON", "stream": "ES", "subject": "es.a.device.b",
        "sequence": 7, "published_at": at(2), "headers": {}, "payload_bytes": 1, "payload_encoding": "text", "payload": "{"});
    let row = letters_of(&message(&unreadable)).unwrap().remove(0);
    assert_eq!((row.organization_id, row.device_id, row.reason.as_str()), (None, None, "unreadable"));
    assert_eq!((row.detail.as_str(), row.received_at), ("not JSON (message 7 of ES)", at(2)));
    assert!(letters_of(&message(&json!("x"))).is_err());
}

#[test]
fn a_decision_records_status_time_and_actor() {
    let row = settled(&decoded_event(
        "dead_letter",
        1,
        &SettledLetterEvent::DeadLetterDiscarded { comment: Some("c".into()) },
    ));
    let row = row.unwrap();
    assert_eq!((row.id, row.status.as_str(), row.settled_at), (ID, "discarded", at(1)));
    assert!(row.settled_by.contains(&USER.to_string()) && row.comment.as_deref() == Some("c"));
    let redriven =
        json!({"DeadLetterRedriven": {"device": Uuid::nil(), "received_at": at(0), "payload": "", "reason": "r"}});
    assert_eq!(settled(&decoded_event("dead_letter", 2, &redriven)).unwrap().status, "redriven");
}
