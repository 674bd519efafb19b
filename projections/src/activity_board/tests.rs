//! Unit tests of the fold and of its rows.

use domain::activity::{ActivityEvent, WorkOrder};
use domain::activity_template::ChecklistItem;
use domain::alarming::Severity;
use domain::ids::UserId;
use domain::rule::EntityKind;
use uuid::Uuid;

use super::{Activities, ActivityRow, Comment, Item};
use crate::test_events::{ID, USER, at, rows_after};

fn created(role: Option<&str>) -> ActivityEvent {
    let order = WorkOrder {
        template_id: None,
        name: "Repair".into(),
        description: None,
        target_type: EntityKind::Device,
        target_id: Uuid::from_u128(8),
        priority: Severity::Low,
        assigned_role: role.map(str::to_owned),
        assigned_user_id: None,
        due_at: Some(at(99)),
        checklist: vec![ChecklistItem { item: "Look".into(), required: true }],
        alarm_id: None,
    };
    ActivityEvent::ActivityCreated { order }
}

fn then(event: ActivityEvent) -> ActivityRow {
    rows_after::<Activities, _>("activity", &[created(None), event]).get(ID).cloned().unwrap()
}

#[test]
fn an_activity_with_a_role_begins_assigned() {
    let status = |role| rows_after::<Activities, _>("activity", &[created(role)]).get(ID).unwrap().status.clone();
    assert_eq!((status(None), status(Some("technician"))), ("pending".into(), "assigned".into()));
}

#[test]
fn each_event_changes_its_own_columns() {
    let first = rows_after::<Activities, _>("activity", &[created(None)]).get(ID).cloned().unwrap();
    let two = ActivityRow { updated_at: at(2), version: 2, position: 2, ..first };
    let assigned = ActivityRow {
        status: "assigned".into(),
        assigned_role: Some("engineer".into()),
        assigned_user_id: Some(USER),
        ..two.clone()
    };
    let done = ActivityRow { status: "done".into(), ended_at: Some(at(2)), note: Some("ok".into()), ..two.clone() };
    let cancelled = ActivityRow {
        status: "cancelled".into(),
        ended_at: Some(at(2)),
        cancelled_reason: Some("twice".into()),
        ..two.clone()
    };
    let ticked = vec![Item { item: "Look".into(), required: true, done: true }];
    let comment = Comment { author: format!("user:{USER}"), text: "Hm".into(), at: at(2) };
    for (event, expected) in [
        (ActivityEvent::ActivityAssigned { role: Some("engineer".into()), user_id: Some(UserId(USER)) }, assigned),
        (
            ActivityEvent::ActivityStarted {},
            ActivityRow { status: "in_progress".into(), started_at: Some(at(2)), ..two.clone() },
        ),
        (ActivityEvent::ActivityItemChecked { index: 0, done: true }, ActivityRow { checklist: ticked, ..two.clone() }),
        (ActivityEvent::ActivityItemChecked { index: 9, done: true }, two.clone()),
        (ActivityEvent::ActivityCompleted { note: Some("ok".into()) }, done),
        (ActivityEvent::ActivityCancelled { reason: "twice".into() }, cancelled),
        (
            ActivityEvent::ActivityCommented { text: "Hm".into() },
            ActivityRow { comments: vec![comment], ..two.clone() },
        ),
    ] {
        assert_eq!(then(event), expected);
    }
}
