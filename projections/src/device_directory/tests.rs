//! Unit tests of the fold and of its rows.

use domain::device::DeviceEvent;
use domain::ids::{DeviceId, DeviceTypeId, OrganizationId, SessionId};
use domain::telemetry::{PresenceFact, PresenceKind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fold::Devices;
use super::{ConnectivityRow, DeviceRow, presence};
use crate::row_batch::RowBatch;
use crate::test_events::{ID, ORGANIZATION, USER, at, rows_after};

fn registered() -> DeviceEvent {
    DeviceEvent::DeviceRegistered {
        name: "Sensor".into(),
        description: None,
        serial_number: "SN-1".into(),
        device_type_id: DeviceTypeId(Uuid::from_u128(9)),
        custom_attributes: Value::Null,
    }
}

fn row() -> DeviceRow {
    DeviceRow {
        id: ID,
        organization_id: ORGANIZATION,
        name: "Sensor".into(),
        description: None,
        serial_number: "SN-1".into(),
        device_type_id: Uuid::from_u128(9),
        custom_attributes: json!({}),
        status: "active".into(),
        decommission_reason: None,
        created_at: at(1),
        created_by: format!("user:{USER}"),
        updated_at: at(1),
        version: 1,
        position: 1,
    }
}

fn changed(event: DeviceEvent) -> DeviceRow {
    rows_after::<Devices, _>("device", &[registered(), event]).get(ID).cloned().unwrap()
}

#[test]
fn each_event_changes_its_own_columns() {
    let at_two = DeviceRow { updated_at: at(2), version: 2, position: 2, ..row() };
    assert_eq!(rows_after::<Devices, _>("device", &[registered()]).get(ID), Some(&row()));
    let renamed = changed(DeviceEvent::DeviceRenamed { name: "Other".into() });
    assert_eq!(renamed, DeviceRow { name: "Other".into(), ..at_two.clone() });
    let described = changed(DeviceEvent::DeviceDescribed { description: Some("Here".into()) });
    assert_eq!(described, DeviceRow { description: Some("Here".into()), ..at_two.clone() });
    let attributes = changed(DeviceEvent::DeviceAttributesChanged { custom_attributes: json!({"a": 1}) });
    assert_eq!(attributes, DeviceRow { custom_attributes: json!({"a": 1}), ..at_two.clone() });
    let gone = changed(DeviceEvent::DeviceDecommissioned { reason: "broken".into() });
    let expected = DeviceRow { status: "decommissioned".into(), decommission_reason: Some("broken".into()), ..at_two };
    assert_eq!(gone, expected);
}

#[test]
fn an_event_of_an_unknown_device_creates_no_row() {
    let rows = rows_after::<Devices, _>("device", &[DeviceEvent::DeviceRenamed { name: "Other".into() }]);
    assert_eq!(rows.iter().count(), 0);
}

fn heard(kind: PresenceKind, session: u128, seconds: i64) -> PresenceFact {
    PresenceFact {
        kind,
        organization: Some(OrganizationId(ORGANIZATION)),
        device: Some(DeviceId(ID)),
        session: Some(SessionId(Uuid::from_u128(session))),
        edge: "edge-1".into(),
        at: at(seconds),
        reason: None,
    }
}

/// Connectivity, seconds of the last change, seconds last seen, reason.
fn state(facts: &[PresenceFact]) -> Option<(String, i64, i64, Option<String>)> {
    let mut rows = RowBatch::<ConnectivityRow>::default();
    facts.iter().for_each(|fact| presence::fold(&mut rows, fact));
    let seconds = |time: chrono::DateTime<chrono::Utc>| (time - at(0)).num_seconds();
    rows.get(ID)
        .map(|row| (row.connectivity.clone(), seconds(row.changed_at), seconds(row.last_seen_at), row.reason.clone()))
}

fn is(text: &str, changed: i64, seen: i64, reason: Option<&str>) -> Option<(String, i64, i64, Option<String>)> {
    Some((text.into(), changed, seen, reason.map(str::to_owned)))
}

#[test]
fn a_session_start_means_online_and_its_end_offline() {
    use PresenceKind::{Connected, Disconnected, Silent};
    assert_eq!(state(&[heard(Connected, 1, 1)]), is("online", 1, 1, None));
    let ended = [heard(Connected, 1, 1), heard(Disconnected, 1, 2)];
    assert_eq!(state(&ended), is("offline", 2, 2, Some("disconnected")));
    assert_eq!(state(&[heard(Connected, 1, 1), heard(Silent, 1, 2)]), is("offline", 2, 2, Some("timeout")));
    assert_eq!(state(&[heard(Disconnected, 1, 2)]), is("offline", 2, 2, Some("disconnected")));
}

#[test]
fn the_end_of_a_session_that_was_taken_over_changes_nothing() {
    use PresenceKind::{Connected, Disconnected};
    let taken_over = [heard(Connected, 1, 1), heard(Connected, 2, 3), heard(Disconnected, 1, 4)];
    assert_eq!(state(&taken_over), is("online", 1, 3, None));
    // Two edges reported it in the wrong order.
    let crossed = [heard(Connected, 2, 3), heard(Connected, 1, 1), heard(Disconnected, 1, 4)];
    assert_eq!(state(&crossed), is("online", 3, 3, None));
}

#[test]
fn a_repeated_fact_changes_nothing() {
    use PresenceKind::{Connected, Disconnected};
    let once = [heard(Connected, 1, 1), heard(Disconnected, 1, 2)];
    let twice = [once.clone(), once.clone()].concat();
    assert_eq!(state(&twice), state(&once));
}

#[test]
fn a_lost_edge_ends_only_its_own_sessions() {
    let lost = PresenceFact { device: None, session: None, ..heard(PresenceKind::EdgeLost, 0, 5) };
    let before = heard(PresenceKind::Connected, 1, 1);
    assert_eq!(state(&[before.clone(), lost.clone()]), is("offline", 5, 5, Some("edge_lost")));
    let elsewhere = PresenceFact { edge: "edge-2".into(), ..before };
    assert_eq!(state(&[elsewhere, lost.clone()]), is("online", 1, 1, None));
    let since = heard(PresenceKind::Connected, 1, 6);
    assert_eq!(state(&[since, lost]), is("online", 6, 6, None));
}

#[test]
fn sessions_of_an_edge_that_comes_back_are_online_again() {
    let lost = PresenceFact { device: None, session: None, ..heard(PresenceKind::EdgeLost, 0, 5) };
    let told = heard(PresenceKind::Connected, 1, 1);
    let again = heard(PresenceKind::Connected, 1, 8);
    assert_eq!(state(&[told.clone(), lost.clone(), again]), is("online", 8, 8, None));
    // A repetition of a fact from before the loss does not count as a return.
    assert_eq!(state(&[told.clone(), lost, told]), is("offline", 5, 5, Some("edge_lost")));
}

#[test]
fn a_refused_connection_does_not_change_connectivity() {
    assert_eq!(state(&[heard(PresenceKind::ConnectionRefused, 1, 1)]), None);
}
