//! Unit tests of the fold and of its rows.

use domain::device::DeviceEvent;
use serde_json::json;

use super::row;
use crate::test_events::{ID, USER, at, decoded_event};

fn renamed(version: i64, name: &str) -> super::AuditRow {
    row(&decoded_event("device", version, &DeviceEvent::DeviceRenamed { name: name.into() }))
}

#[test]
fn a_row_records_actor_entity_change_and_time() {
    let row = renamed(4, "Other");
    assert_eq!((row.stream.as_str(), row.position, row.version), ("ES", 4, 4));
    assert_eq!((row.actor, row.entity_type.as_str(), row.entity_id), (format!("user:{USER}"), "device", ID));
    assert_eq!((row.event_type.as_str(), row.recorded_at, row.changed), ("DeviceRenamed", at(4), vec!["name".into()]));
    assert_eq!(row.payload, json!({"name": "Other"}));
}
