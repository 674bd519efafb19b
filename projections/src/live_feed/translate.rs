//! Translates domain events, presence facts and health changes into events of the feed. Pure.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::AnyEvent;
use domain::activity::{ActivityEvent, WorkOrder};
use domain::alarm::{AlarmEvent, Breach};
use domain::alarming::Suppression;
use domain::ids::UserId;
use domain::notification::{Notice, NotificationEvent};
use domain::rule::EntityKind;
use domain::telemetry::{AssetHealthChanged, PresenceFact, ThresholdEvent};
use serde_json::{Value, json};
use uuid::Uuid;

use super::room::Room;
use crate::decoded_event::DecodedEvent;
use crate::device_directory::ConnectivityRow;
use crate::sql_values::enum_text;
use crate::system_events::{SystemEventRow, threshold_payload};

/// An event of the feed and the rooms it goes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RoomEvent {
    pub rooms: Vec<Room>,
    /// Its name on the wire, such as `alarm:raised`.
    pub name: &'static str,
    pub data: Value,
}

/// Translates a change of an asset's health.
pub(super) fn health(change: &AssetHealthChanged) -> RoomEvent {
    RoomEvent {
        rooms: vec![Room::Organization(change.organization.0), Room::Asset(change.asset.0)],
        name: "asset:healthscore",
        data: json!({
            "assetId": change.asset,
            "healthScore": change.score,
            "previousScore": change.previous,
            "timestamp": rfc3339_millis(change.measured_at),
            "computedBy": change.scored_by.map(|by| by.model),
            "formulaVersion": change.scored_by.map(|by| by.formula),
        }),
    }
}

/// Translates a threshold event.
pub(super) fn threshold(event: &ThresholdEvent) -> RoomEvent {
    RoomEvent {
        rooms: vec![Room::Organization(event.organization.0), entity_room(event.entity_type, event.entity_id)],
        name: "event:created",
        data: json!({
            "eventId": event.event_id,
            "type": event.transition,
            "entityId": event.entity_id,
            "severity": event.severity,
            "payload": threshold_payload(event),
        }),
    }
}

/// Translates a system event; none if it belongs to no organisation.
pub(super) fn system_event(row: &SystemEventRow) -> Option<RoomEvent> {
    let device = row.entity_id.map(Room::Device);
    Some(RoomEvent {
        rooms: [Room::Organization(row.organization_id?)].into_iter().chain(device).collect(),
        name: "event:created",
        data: json!({
            "eventId": row.id,
            "type": row.event_type,
            "entityId": row.entity_id,
            "severity": row.severity,
            "payload": row.payload,
        }),
    })
}

/// Translates the connectivity that a presence fact gave a device.
pub(super) fn presence(fact: &PresenceFact, row: &ConnectivityRow) -> [RoomEvent; 2] {
    let rooms = vec![Room::Organization(row.organization_id), Room::Device(row.device_id)];
    let device = row.device_id;
    let (name, data) = if row.connectivity == "online" {
        ("device:connected", json!({ "deviceId": device, "connectedAt": rfc3339_millis(fact.at) }))
    } else {
        let data = json!({ "deviceId": device, "disconnectedAt": rfc3339_millis(fact.at), "reason": row.reason });
        ("device:disconnected", data)
    };
    let status =
        json!({ "deviceId": device, "status": row.connectivity, "lastSeen": rfc3339_millis(row.last_seen_at) });
    [RoomEvent { rooms: rooms.clone(), name, data }, RoomEvent { rooms, name: "device:status", data: status }]
}

/// Translates a domain event of an alarm, activity or notification; none for others.
pub(super) fn domain_event(decoded: &DecodedEvent) -> Option<RoomEvent> {
    match &decoded.event {
        AnyEvent::Alarm(event) => Some(alarm(decoded, event)),
        AnyEvent::Activity(event) => Some(activity(decoded, event)),
        AnyEvent::Notification(NotificationEvent::NotificationPushed { recipients, notice }) => {
            Some(pushed(decoded.id, recipients, notice))
        }
        _ => None,
    }
}

fn alarm(decoded: &DecodedEvent, event: &AlarmEvent) -> RoomEvent {
    let organization = Room::Organization(decoded.organization);
    let of_organization = |name, data| RoomEvent { rooms: vec![organization], name, data };
    match event {
        AlarmEvent::AlarmRaised { breach } => RoomEvent {
            rooms: vec![organization, entity_room(breach.entity_type, breach.entity_id)],
            name: "alarm:raised",
            data: raised(decoded.id, breach),
        },
        AlarmEvent::AlarmStartAmended { started_at } => {
            of_organization("alarm:amended", json!({ "alarmId": decoded.id, "startedAt": rfc3339_millis(*started_at) }))
        }
        AlarmEvent::AlarmReturnedToNormal { value, at, .. } => of_organization(
            "alarm:returned",
            json!({ "alarmId": decoded.id, "value": value, "returnedAt": rfc3339_millis(*at) }),
        ),
        AlarmEvent::AlarmRepeated { repeats, value, at } => of_organization(
            "alarm:repeated",
            json!({ "alarmId": decoded.id, "repeats": repeats, "value": value, "repeatedAt": rfc3339_millis(*at) }),
        ),
        AlarmEvent::AlarmSuppressed { suppression } => {
            let (why, until) = match suppression {
                Suppression::OutOfService => ("out_of_service", None),
                Suppression::Shelved { until } => ("shelved", Some(rfc3339_millis(*until))),
            };
            of_organization(
                "alarm:suppressed",
                json!({ "alarmId": decoded.id, "suppression": why, "shelvedUntil": until }),
            )
        }
        AlarmEvent::AlarmUnsuppressed {} => of_organization("alarm:unsuppressed", json!({ "alarmId": decoded.id })),
        AlarmEvent::AlarmSuperseded { by } => {
            of_organization("alarm:superseded", json!({ "alarmId": decoded.id, "supersededBy": by }))
        }
        AlarmEvent::AlarmAssigned { assignee } => {
            of_organization("alarm:assigned", json!({ "alarmId": decoded.id, "assigneeId": assignee }))
        }
        AlarmEvent::AlarmCommented { text } => of_organization(
            "alarm:commented",
            json!({ "alarmId": decoded.id, "author": decoded.actor(), "text": text }),
        ),
        AlarmEvent::AlarmDismissed { reason } => of_organization(
            "alarm:dismissed",
            json!({ "alarmId": decoded.id, "dismissedBy": decoded.actor(), "reason": reason }),
        ),
        AlarmEvent::AlarmReopened { breach, value, at, .. } => RoomEvent {
            rooms: vec![organization, entity_room(breach.entity_type, breach.entity_id)],
            name: "alarm:reopened",
            data: json!({ "alarmId": decoded.id, "value": value, "repeatedAt": rfc3339_millis(*at) }),
        },
        AlarmEvent::AlarmAcknowledged { comment } => of_organization(
            "alarm:acknowledged",
            json!({
                "alarmId": decoded.id,
                "acknowledgedBy": decoded.actor(),
                "acknowledgedAt": rfc3339_millis(decoded.recorded_at()),
                "comment": comment,
            }),
        ),
    }
}

fn pushed(id: Uuid, recipients: &[UserId], notice: &Notice) -> RoomEvent {
    RoomEvent {
        rooms: recipients.iter().map(|user| Room::User(user.0)).collect(),
        name: "notification:new",
        data: json!({
            "notificationId": id,
            "type": notice.transition,
            "alarmId": notice.alarm_id,
            "ruleName": notice.rule_name,
            "entityType": notice.entity_type,
            "entityId": notice.entity_id,
            "severity": notice.severity,
            "metricKey": notice.metric_key,
            "value": notice.value,
            "measuredAt": rfc3339_millis(notice.measured_at),
        }),
    }
}

fn raised(alarm: Uuid, breach: &Breach) -> Value {
    json!({
        "alarmId": alarm,
        "ruleId": breach.rule_id,
        "ruleName": breach.rule_name,
        "entityType": breach.entity_type,
        "entityId": breach.entity_id,
        "metricKey": breach.metric_key,
        "severity": breach.severity,
        "value": breach.value,
        "startedAt": rfc3339_millis(breach.started_at),
        "raisedAt": rfc3339_millis(breach.raised_at),
    })
}

fn activity(decoded: &DecodedEvent, event: &ActivityEvent) -> RoomEvent {
    let rooms = vec![Room::Organization(decoded.organization)];
    if let ActivityEvent::ActivityCreated { order } = event {
        return RoomEvent { rooms, name: "activity:created", data: created(decoded.id, order) };
    }
    let change = match event {
        ActivityEvent::ActivityAssigned { role, user_id } => {
            json!({ "assignedTo": user_id.map(|user| user.to_string()).or_else(|| role.clone()) })
        }
        ActivityEvent::ActivityStarted {} => json!({ "status": "in_progress" }),
        ActivityEvent::ActivityCompleted { .. } => json!({ "status": "done" }),
        ActivityEvent::ActivityCancelled { reason } => json!({ "status": "cancelled", "reason": reason }),
        ActivityEvent::ActivityItemChecked { index, done } => json!({ "item": index, "done": done }),
        ActivityEvent::ActivityOverdue { due_at } => json!({ "overdue": true, "dueAt": rfc3339_millis(*due_at) }),
        ActivityEvent::ActivityCommented { text } => json!({ "comment": text }),
        ActivityEvent::ActivityCreated { .. } => json!({}),
    };
    let data = json!({ "activityId": decoded.id, "change": decoded.event_type, "details": change });
    RoomEvent { rooms, name: "activity:updated", data }
}

fn created(activity: Uuid, order: &WorkOrder) -> Value {
    json!({
        "activityId": activity,
        "name": order.name,
        "priority": enum_text(&order.priority),
        "assignedTo": order.assigned_user_id.map(|user| user.to_string()).or_else(|| order.assigned_role.clone()),
        "dueAt": order.due_at.map(rfc3339_millis),
        "targetId": order.target_id,
        "alarmId": order.alarm_id,
    })
}

fn entity_room(kind: EntityKind, id: Uuid) -> Room {
    match kind {
        EntityKind::Device => Room::Device(id),
        EntityKind::Asset | EntityKind::Space => Room::Asset(id),
    }
}

/// Formats a time as the feed writes it: RFC 3339 in UTC, with milliseconds.
pub(super) fn rfc3339_millis(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Formats a time of telemetry: with microseconds, since readings may be only microseconds apart. The length is always
/// the same, so subscribers may compare such times as text.
pub fn rfc3339_micros(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
