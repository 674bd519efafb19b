//! What happened, in the words of the feed. Pure.

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

use super::Room;
use super::telemetry::text;
use crate::device_directory::ConnectivityRow;
use crate::fact::{Fact, text_of};
use crate::system_events::{SystemEventRow, threshold_payload};

/// One thing to tell, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub rooms: Vec<Room>,
    pub event: &'static str,
    pub data: Value,
}

/// A change of an asset's health.
pub(super) fn health(change: &AssetHealthChanged) -> Told {
    Told {
        rooms: vec![Room::Organization(change.organization.0), Room::Asset(change.asset.0)],
        event: "asset:healthscore",
        data: json!({
            "assetId": change.asset,
            "healthScore": change.score,
            "previousScore": change.previous,
            "timestamp": text(change.measured_at),
            "computedBy": change.scored_by.map(|by| by.model),
            "formulaVersion": change.scored_by.map(|by| by.formula),
        }),
    }
}

/// A threshold event.
pub(super) fn threshold(event: &ThresholdEvent) -> Told {
    Told {
        rooms: vec![Room::Organization(event.organization.0), entity_room(event.entity_type, event.entity_id)],
        event: "event:created",
        data: json!({
            "eventId": event.event_id,
            "type": event.transition,
            "entityId": event.entity_id,
            "severity": event.severity,
            "payload": threshold_payload(event),
        }),
    }
}

/// A presence fact that is a system event.
pub(super) fn noticed(row: &SystemEventRow) -> Option<Told> {
    let device = row.entity_id.map(Room::Device);
    Some(Told {
        rooms: [Room::Organization(row.organization_id?)].into_iter().chain(device).collect(),
        event: "event:created",
        data: json!({
            "eventId": row.id,
            "type": row.event_type,
            "entityId": row.entity_id,
            "severity": row.severity,
            "payload": row.payload,
        }),
    })
}

/// What a presence fact made of a device.
pub(super) fn presence(fact: &PresenceFact, row: &ConnectivityRow) -> [Told; 2] {
    let rooms = vec![Room::Organization(row.organization_id), Room::Device(row.device_id)];
    let device = row.device_id;
    let (event, data) = if row.connectivity == "online" {
        ("device:connected", json!({ "deviceId": device, "connectedAt": text(fact.at) }))
    } else {
        let data = json!({ "deviceId": device, "disconnectedAt": text(fact.at), "reason": row.reason });
        ("device:disconnected", data)
    };
    let status = json!({ "deviceId": device, "status": row.connectivity, "lastSeen": text(row.last_seen_at) });
    [Told { rooms: rooms.clone(), event, data }, Told { rooms, event: "device:status", data: status }]
}

/// A domain event of an alarm or an activity.
pub(super) fn domain_event(fact: &Fact) -> Option<Told> {
    match &fact.event {
        AnyEvent::Alarm(event) => Some(alarm(fact, event)),
        AnyEvent::Activity(event) => Some(activity(fact, event)),
        AnyEvent::Notification(NotificationEvent::NotificationPushed { recipients, notice }) => {
            Some(notification(fact.id, recipients, notice))
        }
        _ => None,
    }
}

fn alarm(fact: &Fact, event: &AlarmEvent) -> Told {
    let organization = Room::Organization(fact.organization);
    let told = |event, data| Told { rooms: vec![organization], event, data };
    match event {
        AlarmEvent::AlarmRaised { breach } => Told {
            rooms: vec![organization, entity_room(breach.entity_type, breach.entity_id)],
            event: "alarm:raised",
            data: raised(fact.id, breach),
        },
        AlarmEvent::AlarmStartAmended { started_at } => {
            told("alarm:amended", json!({ "alarmId": fact.id, "startedAt": text(*started_at) }))
        }
        AlarmEvent::AlarmReturnedToNormal { value, at } => {
            told("alarm:returned", json!({ "alarmId": fact.id, "value": value, "returnedAt": text(*at) }))
        }
        AlarmEvent::AlarmRepeated { repeats, value, at } => told(
            "alarm:repeated",
            json!({ "alarmId": fact.id, "repeats": repeats, "value": value, "repeatedAt": text(*at) }),
        ),
        AlarmEvent::AlarmSuppressed { suppression } => {
            let (why, until) = match suppression {
                Suppression::OutOfService => ("out_of_service", None),
                Suppression::Shelved { until } => ("shelved", Some(text(*until))),
            };
            told("alarm:suppressed", json!({ "alarmId": fact.id, "suppression": why, "shelvedUntil": until }))
        }
        AlarmEvent::AlarmUnsuppressed {} => told("alarm:unsuppressed", json!({ "alarmId": fact.id })),
        AlarmEvent::AlarmSuperseded { by } => {
            told("alarm:superseded", json!({ "alarmId": fact.id, "supersededBy": by }))
        }
        AlarmEvent::AlarmAssigned { assignee } => {
            told("alarm:assigned", json!({ "alarmId": fact.id, "assigneeId": assignee }))
        }
        AlarmEvent::AlarmCommented { text } => {
            told("alarm:commented", json!({ "alarmId": fact.id, "author": fact.actor(), "text": text }))
        }
        AlarmEvent::AlarmDismissed { reason } => {
            told("alarm:dismissed", json!({ "alarmId": fact.id, "dismissedBy": fact.actor(), "reason": reason }))
        }
        AlarmEvent::AlarmAcknowledged { comment } => told(
            "alarm:acknowledged",
            json!({
                "alarmId": fact.id,
                "acknowledgedBy": fact.actor(),
                "acknowledgedAt": text(fact.at()),
                "comment": comment,
            }),
        ),
    }
}

fn notification(id: Uuid, recipients: &[UserId], notice: &Notice) -> Told {
    Told {
        rooms: recipients.iter().map(|user| Room::User(user.0)).collect(),
        event: "notification:new",
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
            "measuredAt": text(notice.measured_at),
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
        "startedAt": text(breach.started_at),
        "raisedAt": text(breach.raised_at),
    })
}

fn activity(fact: &Fact, event: &ActivityEvent) -> Told {
    let rooms = vec![Room::Organization(fact.organization)];
    if let ActivityEvent::ActivityCreated { order } = event {
        return Told { rooms, event: "activity:created", data: created(fact.id, order) };
    }
    let change = match event {
        ActivityEvent::ActivityAssigned { role, user_id } => {
            json!({ "assignedTo": user_id.map(|user| user.to_string()).or_else(|| role.clone()) })
        }
        ActivityEvent::ActivityStarted {} => json!({ "status": "in_progress" }),
        ActivityEvent::ActivityCompleted { .. } => json!({ "status": "done" }),
        ActivityEvent::ActivityCancelled { reason } => json!({ "status": "cancelled", "reason": reason }),
        ActivityEvent::ActivityItemChecked { index, done } => json!({ "item": index, "done": done }),
        ActivityEvent::ActivityOverdue { due_at } => json!({ "overdue": true, "dueAt": text(*due_at) }),
        ActivityEvent::ActivityCommented { text } => json!({ "comment": text }),
        ActivityEvent::ActivityCreated { .. } => json!({}),
    };
    let data = json!({ "activityId": fact.id, "change": fact.event_type, "details": change });
    Told { rooms, event: "activity:updated", data }
}

fn created(activity: Uuid, order: &WorkOrder) -> Value {
    json!({
        "activityId": activity,
        "name": order.name,
        "priority": text_of(&order.priority),
        "assignedTo": order.assigned_user_id.map(|user| user.to_string()).or_else(|| order.assigned_role.clone()),
        "dueAt": order.due_at.map(text),
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
