//! Rooms, cursors, buffering and slow subscribers, without a log.

use std::sync::Arc;

use eventlog::Stream;
use eventlog::position::Positions;
use serde_json::{Map, json};
use uuid::Uuid;

use super::hub::Hub;
use super::pending_values::{FeedReading, PendingValues};
use super::{Closed, Cursor, Feed, Resumed, Room};

const ROOM: Room = Room::Device(Uuid::nil());

fn publish(hub: &Hub, stream: usize, sequence: u64) {
    hub.publish(&[ROOM], (stream, sequence), "event:created", &json!({ "n": sequence }));
}

#[test]
fn cursors_and_rooms_are_read_back_from_their_text() {
    let cursor = Cursor([1, 2, 3, 4, 5, u64::MAX]);
    assert_eq!(cursor.to_string(), "1.2.3.4.5.18446744073709551615");
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for text in ["", "1.2.3", "1.2.3.4.5.6.7", "1.2.3.4.5.x", "1.2.3.4.5.-6"] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
    for room in [Room::Organization(Uuid::nil()), ROOM, Room::Asset(Uuid::max()), Room::User(Uuid::max())] {
        assert_eq!(room.to_string().parse(), Ok(room));
    }
    for text in ["", "org", "org:", "org:7", "people:00000000-0000-0000-0000-000000000000"] {
        assert!(text.parse::<Room>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn every_subscriber_of_a_room_shares_one_serialised_message() {
    let feed = Feed::new();
    let (mut one, mut two) = (feed.subscribe(ROOM, None), feed.subscribe(ROOM, None));
    let mut other = feed.subscribe(Room::Asset(Uuid::nil()), None);
    publish(&feed.hub, 2, 7);
    let (first, second) = (one.recv().await.unwrap(), two.recv().await.unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!((&*first.data, first.position), (r#"{"n":7}"#, Cursor([0, 0, 7, 0, 0, 0])));
    feed.hub.close_all(Closed::Ended);
    assert_eq!(other.recv().await, Err(Closed::Ended));
}

#[tokio::test]
async fn a_reconnecting_subscriber_gets_what_is_beyond_its_cursor_in_each_stream() {
    let feed = Feed::new();
    let _keeps_room = feed.subscribe(ROOM, None);
    for (stream, sequence) in [(2, 10), (5, 3), (2, 11), (5, 4)] {
        publish(&feed.hub, stream, sequence);
    }
    let mut back = feed.subscribe(ROOM, Some(Cursor([0, 0, 11, 0, 0, 3])));
    assert_eq!(back.resumed, Resumed::Replayed(1));
    assert_eq!(&*back.recv().await.unwrap().data, r#"{"n":4}"#);
    let nothing_missed = feed.subscribe(ROOM, Some(feed.cursor()));
    assert_eq!(nothing_missed.resumed, Resumed::Replayed(0));
}

#[tokio::test]
async fn a_subscriber_from_a_process_that_was_ahead_gets_no_message_twice() {
    let feed = Feed::new();
    let mut ahead = feed.subscribe(ROOM, Some(Cursor([5, 0, 0, 0, 0, 0])));
    (4..=6).for_each(|sequence| publish(&feed.hub, 0, sequence));
    assert_eq!(&*ahead.recv().await.unwrap().data, r#"{"n":6}"#);
}

fn sample_reading() -> FeedReading {
    let values = json!({"temp": 1.0}).as_object().cloned().unwrap();
    let start = chrono::DateTime::UNIX_EPOCH;
    FeedReading { measured_at: start, received_at: start, values, qualities: Map::new(), source_devices: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn a_buffered_value_is_not_lost_to_a_reconnecting_subscriber() {
    let (feed, pending) = (Feed::new(), PendingValues::default());
    let room = Room::Organization(Uuid::nil());
    let mut first = feed.subscribe(room, None);
    let (waits, goes) = (Uuid::from_u128(1), Uuid::from_u128(2));
    pending.add_newest(Uuid::nil(), waits, (0, 1), &sample_reading());
    pending.flush(&feed.hub);
    first.recv().await.unwrap();
    pending.add_newest(Uuid::nil(), waits, (0, 2), &sample_reading());
    pending.add_newest(Uuid::nil(), goes, (0, 3), &sample_reading());
    feed.hub.advance(0, 3);
    pending.flush(&feed.hub);
    let seen = first.recv().await.unwrap();
    assert!(seen.data.contains(&goes.to_string()));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    pending.flush(&feed.hub);
    let mut back = feed.subscribe(room, Some(seen.position));
    let mut received = Vec::new();
    let Resumed::Replayed(count) = back.resumed else { panic!("{:?}", back.resumed) };
    for _ in 0..count {
        received.push(back.recv().await.unwrap().data.clone());
    }
    assert!(received.iter().any(|data| data.contains(&waits.to_string())), "{received:?}");
    assert_eq!(feed.cursor(), Cursor([3, 0, 0, 0, 0, 0]), "everything is published");
}

#[tokio::test(start_paused = true)]
async fn the_newest_value_of_each_metric_is_published_once_a_second() {
    let (feed, pending) = (Feed::new(), PendingValues::default());
    let mut subscriber = feed.subscribe(Room::Organization(Uuid::nil()), None);
    let reading = |seconds, values: serde_json::Value| FeedReading {
        measured_at: chrono::DateTime::from_timestamp(seconds, 0).unwrap(),
        received_at: chrono::DateTime::from_timestamp(9, 0).unwrap(),
        qualities: values.get("b").map(|_| ("b".to_owned(), json!("uncertain"))).into_iter().collect(),
        values: values.as_object().cloned().unwrap(),
        source_devices: Vec::new(),
    };
    let device = Uuid::from_u128(1);
    let add = |seconds, values| pending.add_newest(Uuid::nil(), device, (0, 1), &reading(seconds, values));
    add(2, json!({"a": 2}));
    add(1, json!({"a": 1, "b": 1}));
    pending.flush(&feed.hub);
    // Every message has one time of measurement.
    for (second, metrics, quality) in [(1, json!({"b": 1}), Some("uncertain")), (2, json!({"a": 2}), None)] {
        let data: serde_json::Value = serde_json::from_str(&subscriber.recv().await.unwrap().data).unwrap();
        let timestamp = format!("1970-01-01T00:00:0{second}.000000Z");
        let received_at = "1970-01-01T00:00:09.000000Z";
        let mut told =
            json!({"deviceId": device, "metrics": metrics, "timestamp": timestamp, "receivedAt": received_at});
        if let Some(quality) = quality {
            told["quality"] = json!({"b": quality});
        }
        assert_eq!(data, told);
    }
    add(3, json!({"a": 3}));
    pending.flush(&feed.hub);
    tokio::time::advance(std::time::Duration::from_millis(940)).await;
    pending.flush(&feed.hub);
    add(4, json!({"a": 4}));
    tokio::time::advance(std::time::Duration::from_millis(20)).await;
    pending.flush(&feed.hub);
    let data: serde_json::Value = serde_json::from_str(&subscriber.recv().await.unwrap().data).unwrap();
    assert_eq!(data["metrics"], json!({"a": 4}));
}

#[test]
fn a_cursor_older_than_the_remembered_messages_asks_for_a_reload() {
    let feed = Feed::new();
    let _keeps_room = feed.subscribe(ROOM, None);
    (1..=10_000).for_each(|sequence| publish(&feed.hub, 0, sequence));
    let late = feed.subscribe(ROOM, Some(Cursor([1, 0, 0, 0, 0, 0])));
    assert_eq!(late.resumed, Resumed::Reload);
    let recent = feed.subscribe(ROOM, Some(Cursor([9_990, 0, 0, 0, 0, 0])));
    assert_eq!(recent.resumed, Resumed::Replayed(10));
}

#[test]
fn a_new_room_remembers_nothing_from_before_it_existed() {
    let feed = Feed::new();
    feed.hub.start_at(&Positions::at([(Stream::TelemetryNormalized, 9)]));
    assert_eq!(feed.subscribe(ROOM, Some(Cursor([8, 0, 0, 0, 0, 0]))).resumed, Resumed::Reload);
}

#[tokio::test]
async fn a_slow_subscriber_is_disconnected_and_slows_nobody_down() {
    let feed = Feed::new();
    let mut idle = feed.subscribe(ROOM, None);
    let mut busy = feed.subscribe(ROOM, None);
    for sequence in 1..=20_000 {
        publish(&feed.hub, 2, sequence);
        assert_eq!(busy.recv().await.unwrap().position.0[2], sequence);
    }
    let mut heard = 0;
    let reason = loop {
        match idle.recv().await {
            Ok(_) => heard += 1,
            Err(reason) => break reason,
        }
    };
    assert_eq!((reason, heard), (Closed::TooSlow, 16_384));
    assert_eq!(feed.subscriber_count(), 2);
    drop(idle);
    assert_eq!(feed.subscriber_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_room_without_subscribers_is_removed_after_a_minute() {
    let feed = Feed::new();
    drop(feed.subscribe(ROOM, None));
    feed.hub.remove_empty_rooms();
    assert!(feed.hub.has_rooms());
    tokio::time::advance(std::time::Duration::from_secs(61)).await;
    feed.hub.remove_empty_rooms();
    assert!(!feed.hub.has_rooms());
}
