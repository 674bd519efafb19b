//! Events with times that PostgreSQL cannot read as RFC 3339: logs of earlier versions have them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use chrono::{DateTime, Utc};
use common::sample::{self, DEVICE, LINK, PUMP};
use common::{ORGANIZATION, world};
use domain::activity::{ActivityEvent, WorkOrder};
use domain::alarming::Severity;
use domain::device_links::{DeviceLinksEvent, LinkRole};
use domain::ids::LinkId;
use domain::rule::EntityKind;
use domain::telemetry::{PresenceFact, PresenceKind};
use projections::{activity_board, asset_directory};
use uuid::Uuid;

const LATER_ACTIVITY: Uuid = Uuid::from_u128(0x33_33);

fn after_the_year_9999() -> DateTime<Utc> {
    "+10000-01-01T07:59:59Z".parse().unwrap()
}

fn last_time() -> DateTime<Utc> {
    "9999-12-31T23:59:59.999999Z".parse().unwrap()
}

fn before_the_year_1() -> DateTime<Utc> {
    "-0044-03-15T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_link_or_a_due_time_after_the_year_9999_does_not_stop_the_read_models() {
    let world = world().await;
    sample::store(&world).await;
    let corrected = DeviceLinksEvent::LinkCorrected {
        link_id: LinkId(LINK),
        port: Some(1),
        role: LinkRole::Primary,
        valid_from: before_the_year_1(),
        valid_until: Some(after_the_year_9999()),
        metrics_mapping: [].into(),
        reason: "for ever".into(),
    };
    world.event("device_links", DEVICE, 2, &corrected).await;
    let order = WorkOrder {
        template_id: None,
        name: "Some day".into(),
        description: None,
        target_type: EntityKind::Asset,
        target_id: PUMP,
        priority: Severity::Low,
        assigned_role: None,
        assigned_user_id: None,
        due_at: Some(after_the_year_9999()),
        checklist: vec![],
        alarm_id: None,
    };
    world.event("activity", LATER_ACTIVITY, 1, &ActivityEvent::ActivityCreated { order }).await;
    let connected = sample::presence_fact(PresenceKind::Connected, DEVICE, 9, 0);
    // Brokers name the time themselves.
    sample::presence(&world, &[PresenceFact { at: after_the_year_9999(), ..connected }]).await;
    world.catch_up_all().await;
    let link = asset_directory::read::link(&world.reader, ORGANIZATION, LINK).await.unwrap().unwrap();
    assert_eq!(link.valid_until, Some(last_time()));
    assert_eq!(link.valid_from, "0001-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let later = activity_board::read::get(&world.reader, ORGANIZATION, LATER_ACTIVITY).await.unwrap().unwrap();
    assert_eq!(later.row.due_at, Some(last_time()));
    // The same row is loaded and stored again.
    world.event("activity", LATER_ACTIVITY, 2, &ActivityEvent::ActivityStarted {}).await;
    world.catch_up(&[activity_board::NAME]).await;
    let started = activity_board::read::get(&world.reader, ORGANIZATION, LATER_ACTIVITY).await.unwrap().unwrap();
    assert_eq!(started.row.status, "in_progress");
}
