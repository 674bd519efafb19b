//! The live feed against a real log.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::sample::{self, DEVICE, PUMP, presence_fact};
use common::{ORGANIZATION, World, origin, reading, seconds, world};
use domain::telemetry::PresenceKind;
use projections::Feed;
use projections::live_feed::{Closed, FeedMessage, Resumed, Room, Subscription};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Starts a feed and waits until it has found the heads of the streams; it stops when the guard is dropped.
async fn running(world: &World) -> (Feed, DropGuard) {
    let feed = Feed::new();
    let shutdown = CancellationToken::new();
    let (own, log, token) = (feed.clone(), world.log.clone(), shutdown.clone());
    tokio::spawn(async move { own.run(&log, token).await });
    let mut probe = feed.subscribe(Room::Organization(Uuid::nil()), None);
    timeout(TIMEOUT, async {
        loop {
            let mut fact = presence_fact(PresenceKind::Connected, Uuid::nil(), 1, 0);
            fact.organization = Some(domain::ids::OrganizationId(Uuid::nil()));
            fact.session = None;
            fact.at = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::microseconds(feed.subscriber_count() as i64);
            sample::presence(world, &[fact]).await;
            if timeout(Duration::from_millis(100), probe.recv()).await.is_ok() {
                return;
            }
        }
    })
    .await
    .unwrap();
    (feed, shutdown.drop_guard())
}

async fn next(subscription: &mut Subscription) -> Arc<FeedMessage> {
    timeout(TIMEOUT, subscription.recv()).await.expect("a message in time").unwrap()
}

async fn next_of(subscription: &mut Subscription, event: &str) -> (Value, Arc<FeedMessage>) {
    loop {
        let message = next(subscription).await;
        if message.event == event {
            return (serde_json::from_str(&message.data).unwrap(), message);
        }
    }
}

#[tokio::test]
async fn a_room_receives_telemetry_presence_events_alarms_activities_and_health() {
    let world = world().await;
    let (feed, _guard) = running(&world).await;
    let mut organization = feed.subscribe(Room::Organization(ORGANIZATION), None);
    assert_eq!(organization.resumed, Resumed::Live);
    sample::store(&world).await;
    let mut heard = std::collections::BTreeMap::<&str, Vec<Value>>::new();
    while heard.len() < 15 {
        let message = next(&mut organization).await;
        heard.entry(message.event).or_default().push(serde_json::from_str(&message.data).unwrap());
    }
    let first = |event: &str| heard[event][0].clone();
    assert_eq!(first("device:connected"), json!({"deviceId": DEVICE, "connectedAt": "2026-01-10T10:00:01.000Z"}));
    let status = json!({"deviceId": DEVICE, "status": "online", "lastSeen": "2026-01-10T10:00:01.000Z"});
    assert_eq!(first("device:status"), status);
    assert_eq!(first("device:disconnected")["reason"], "timeout");
    let newest = first("telemetry:new");
    assert_eq!((&newest["deviceId"], &newest["timestamp"]), (&json!(DEVICE), &json!("2026-01-10T10:00:10.000000Z")));
    assert_eq!(newest["metrics"], json!({"temp": 21.0, "pressure": 1.6, "mode": "auto"}));
    let events: Vec<_> = heard["event:created"].iter().map(|event| event["type"].clone()).collect();
    assert!(events.contains(&json!("CONNECTION_REFUSED")) || events.contains(&json!("THRESHOLD_BREACH")), "{events:?}");
    assert_eq!(first("activity:created")["assignedTo"], "technician");
    assert_eq!(first("activity:updated")["details"], json!({"status": "in_progress"}));
    assert_eq!(first("alarm:raised")["entityId"], json!(PUMP));
    assert_eq!(first("alarm:acknowledged")["comment"], "seen");
    assert_eq!(
        (&first("alarm:suppressed")["suppression"], &first("alarm:repeated")["repeats"]),
        (&json!("shelved"), &json!(1))
    );
    assert_eq!(first("alarm:commented")["text"], "A loose wire");
    let health = first("asset:healthscore");
    assert_eq!((&health["healthScore"], &health["previousScore"]), (&json!(40), &Value::Null));
    let health = &heard["asset:healthscore"][1];
    assert_eq!((&health["computedBy"], &health["formulaVersion"]), (&json!(6), &json!(1)));
}

#[tokio::test]
async fn an_organisation_room_gets_a_device_once_a_second_and_a_device_room_every_reading() {
    let world = world().await;
    let (feed, _guard) = running(&world).await;
    let mut organization = feed.subscribe(Room::Organization(ORGANIZATION), None);
    let mut device = feed.subscribe(Room::Device(DEVICE), None);
    let mut other = feed.subscribe(Room::Device(PUMP), None);
    let (mut all, mut few) = (0, 0);
    let begun = std::time::Instant::now();
    for n in 0..12_u32 {
        let at = seconds(i64::from(n));
        world.readings(1, &[&["temp"]], vec![reading(DEVICE, origin(1, n), at, &[f64::from(n)])]).await;
        // Spread over more than half a second, so that more than one tick passes.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while all < 12 {
        all += next_of(&mut device, "telemetry:batch").await.0.as_array().unwrap().len();
    }
    loop {
        few += 1;
        let (newest, _) = next_of(&mut organization, "telemetry:new").await;
        if newest["metrics"]["temp"] == 11.0 {
            break;
        }
    }
    assert_eq!(all, 12);
    // One immediately, then one for each 0.95 s that has passed.
    let most = 2.0 + begun.elapsed().as_secs_f64() / 0.95;
    assert!(f64::from(few) <= most, "{few} messages about one device, at most {most}");
    assert!(timeout(Duration::from_millis(50), other.recv()).await.is_err(), "nobody else hears of it");
}

#[tokio::test]
async fn a_repeated_reading_and_the_end_of_an_old_session_are_not_published() {
    let world = world().await;
    let (feed, _guard) = running(&world).await;
    let mut device = feed.subscribe(Room::Device(DEVICE), None);
    for _ in 0..2 {
        world.readings(1, &[&["temp"]], vec![reading(DEVICE, origin(1, 0), seconds(0), &[1.0])]).await;
    }
    world.readings(1, &[&["temp"]], vec![reading(DEVICE, origin(2, 0), seconds(1), &[2.0])]).await;
    let facts = [
        presence_fact(PresenceKind::Connected, DEVICE, 1, 1),
        presence_fact(PresenceKind::Connected, DEVICE, 2, 2),
        presence_fact(PresenceKind::Disconnected, DEVICE, 1, 3),
        presence_fact(PresenceKind::Disconnected, DEVICE, 2, 4),
    ];
    sample::presence(&world, &facts).await;
    let (mut values, mut names) = (Vec::new(), Vec::new());
    while values.len() < 2 || !names.contains(&"device:disconnected") {
        let message = next(&mut device).await;
        names.push(message.event);
        if message.event == "telemetry:batch" {
            let batch: Vec<Value> = serde_json::from_str(&message.data).unwrap();
            values.extend(batch.iter().map(|reading| reading["metrics"]["temp"].clone()));
        }
    }
    assert_eq!(values, [json!(1.0), json!(2.0)]);
    assert_eq!(names.iter().filter(|name| **name == "device:disconnected").count(), 1);
    assert_eq!(names.iter().filter(|name| **name == "device:connected").count(), 2);
}

#[tokio::test]
async fn a_reconnecting_subscriber_gets_what_it_missed() {
    let world = world().await;
    let (feed, _guard) = running(&world).await;
    let room = Room::Device(DEVICE);
    let mut first = feed.subscribe(room, None);
    sample::presence(&world, &[presence_fact(PresenceKind::Connected, DEVICE, 1, 1)]).await;
    let (_, seen) = next_of(&mut first, "device:status").await;
    drop(first);
    sample::presence(&world, &[presence_fact(PresenceKind::Disconnected, DEVICE, 1, 2)]).await;
    // Another subscriber shows that the feed has read the message.
    let mut other = feed.subscribe(room, Some(seen.position));
    next_of(&mut other, "device:status").await;
    let mut back = feed.subscribe(room, Some(seen.position.to_string().parse().unwrap()));
    assert_eq!(back.resumed, Resumed::Replayed(2));
    assert_eq!(next(&mut back).await.event, "device:disconnected");
    assert_eq!(next(&mut back).await.event, "device:status");
    let stranger = feed.subscribe(Room::Device(PUMP), Some(seen.position));
    assert_eq!(stranger.resumed, Resumed::Reload, "nothing is remembered of a room that nobody watched");
}

#[tokio::test]
async fn a_feed_that_ends_closes_its_subscriptions() {
    let world = world().await;
    let (feed, guard) = running(&world).await;
    let mut watcher = feed.subscribe(Room::Device(DEVICE), None);
    drop(guard);
    assert_eq!(timeout(TIMEOUT, watcher.recv()).await.unwrap().unwrap_err(), Closed::Ended);
}
