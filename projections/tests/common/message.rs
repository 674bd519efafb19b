//! A message about the sample's alarm.

use domain::alarming::Severity;
use domain::catalogue::notification_channel::Medium;
use domain::ids::{AlarmId, UserId};
use domain::notification::{Notice, NotificationEvent};
use domain::rule::EntityKind;
use domain::telemetry::Transition;
use uuid::Uuid;

use super::sample::{ALARM, PUMP};
use super::{USER, World, seconds};

/// The message.
pub const NOTIFICATION: Uuid = Uuid::from_u128(0x4e07);

pub async fn store(world: &World) {
    let notice = Notice {
        transition: Transition::ThresholdBreach,
        alarm_id: Some(AlarmId(ALARM)),
        rule_id: None,
        rule_name: None,
        entity_type: EntityKind::Asset,
        entity_id: PUMP,
        severity: Severity::High,
        metric_key: None,
        value: None,
        measured_at: seconds(20),
    };
    let medium = Medium::Push { work_roles: vec!["technician".into()] };
    let requested = NotificationEvent::NotificationRequested { channel_id: None, medium, notice: notice.clone() };
    let pushed = NotificationEvent::NotificationPushed { recipients: vec![UserId(USER)], notice };
    world.events("notification", NOTIFICATION, &[requested, pushed]).await;
}
