//! Given, when, then.

use domain::device::DeviceEvent;
use serde_json::json;

use super::read::{FieldChange, with_changes};
use super::row;
use crate::given::{ID, USER, at, fact};

fn renamed(version: i64, name: &str) -> super::AuditRow {
    row(&fact("device", version, &DeviceEvent::DeviceRenamed { name: name.into() }))
}

#[test]
fn a_row_tells_who_did_what_to_what_and_when() {
    let row = renamed(4, "Other");
    assert_eq!((row.stream.as_str(), row.position, row.version), ("ES", 4, 4));
    assert_eq!((row.actor, row.entity_type.as_str(), row.entity_id), (format!("user:{USER}"), "device", ID));
    assert_eq!((row.event_type.as_str(), row.recorded_at, row.changed), ("DeviceRenamed", at(4), vec!["name".into()]));
    assert_eq!(row.payload, json!({"name": "Other"}));
}

#[test]
fn a_change_has_what_was_before_and_is_left_out_where_nothing_changed() {
    let entries = with_changes(vec![renamed(1, "a"), renamed(2, "a"), renamed(3, "b")]);
    let changes: Vec<_> = entries.into_iter().map(|entry| entry.changes).collect();
    let change = |before, after| vec![FieldChange { field: "name".into(), before, after }];
    assert_eq!(changes, [change(None, json!("a")), vec![], change(Some(json!("a")), json!("b"))]);
}
