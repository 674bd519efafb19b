//! Which notifications are due next, against a real database.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{World, seconds, world};
use domain::alarming::Severity;
use domain::catalogue::notification_channel::Medium;
use domain::ids::NotificationChannelId;
use domain::notification::{Notice, NotificationEvent};
use domain::rule::EntityKind;
use domain::telemetry::Transition;
use projections::notification_outbox::{NAME, read};
use uuid::Uuid;

/// Events of the sample's aggregates are recorded at the start plus their version in seconds.
const REQUESTED: i64 = 1;
const DELIVERED: i64 = 3;

fn requested(channel: u128, medium: Medium) -> NotificationEvent {
    let notice = Notice {
        transition: Transition::ThresholdBreach,
        alarm_id: None,
        rule_id: None,
        rule_name: None,
        entity_type: EntityKind::Asset,
        entity_id: Uuid::from_u128(8),
        severity: Severity::High,
        metric_key: None,
        value: None,
        measured_at: seconds(0),
    };
    NotificationEvent::NotificationRequested {
        channel_id: Some(NotificationChannelId(Uuid::from_u128(channel))),
        medium,
        notice,
    }
}

fn mail() -> Medium {
    Medium::Email { work_roles: vec!["technician".into()] }
}

async fn request(world: &World, id: u128, channel: u128, medium: Medium) {
    world.event("notification", Uuid::from_u128(id), 1, &requested(channel, medium)).await;
}

#[tokio::test]
async fn a_channel_that_has_just_sent_a_mail_waits_without_delaying_other_channels() {
    let world = world().await;
    request(&world, 1, 0xa, mail()).await;
    request(&world, 2, 0xa, mail()).await;
    request(&world, 3, 0xb, mail()).await;
    request(&world, 4, 0xc, Medium::Webhook { url: "https://x.example".into() }).await;
    world.catch_up(&[NAME]).await;
    let mails = async |now: i64, since: i64, most| {
        let due = read::due_mails(&world.reader, seconds(now), seconds(since), most).await.unwrap();
        due.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    let others = read::due(&world.reader, seconds(REQUESTED), 10).await.unwrap();
    assert_eq!(others.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [4]);
    assert_eq!(mails(REQUESTED - 1, 0, 10).await, [0; 0]);
    assert_eq!(mails(REQUESTED, 0, 10).await, [1, 2, 3]);
    let attempted = NotificationEvent::NotificationAttempted { attempt: 1, retry_at: seconds(60) };
    world.event("notification", Uuid::from_u128(1), 2, &attempted).await;
    world
        .event("notification", Uuid::from_u128(1), 3, &NotificationEvent::NotificationDelivered { recipients: 1 })
        .await;
    world.catch_up(&[NAME]).await;
    // Mails that wait do not take up the limit of the list.
    assert_eq!(mails(10, DELIVERED - 1, 1).await, [3]);
    assert_eq!(mails(10, DELIVERED, 10).await, [2, 3]);
}
