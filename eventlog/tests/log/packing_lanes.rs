//! Packing lanes: few messages, one outcome per item, back-pressure, orderly shutdown.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eventlog::lane::{Pack, PushError};
use eventlog::{Headers, Lane, LaneSettings, Log, Stream, StreamSizes};

use crate::support;

type Answers = Arc<Mutex<Vec<(Vec<u32>, Result<u64, String>)>>>;

pub fn pack(items: &[u32]) -> Pack {
    Pack { headers: Headers::new(), payload: serde_json::to_vec(items).unwrap().into() }
}

fn start(log: &Log, settings: LaneSettings) -> (Lane<u32>, Answers) {
    let answers = Answers::default();
    let done = answers.clone();
    let lane = Lane::start(log, Stream::TelemetryRaw, "0", settings, pack, move |items, stored| {
        done.lock().unwrap().push((items, stored.map_err(|error| error.to_string())));
    });
    (lane, answers)
}

#[tokio::test]
async fn items_queued_together_form_one_pack() {
    let log = support::log().await;
    let settings = LaneSettings { linger: Duration::from_millis(100), ..LaneSettings::default() };
    let (lane, answers) = start(&log, settings);
    for item in 0..50 {
        lane.push(item, 10).await.unwrap();
    }
    lane.close().await;
    assert_eq!(*answers.lock().unwrap(), [((0..50).collect(), Ok(1))]);
    let message = log.get_message(Stream::TelemetryRaw, 1).await.unwrap().unwrap();
    assert_eq!(message.payload, serde_json::to_vec(&(0..50).collect::<Vec<u32>>()).unwrap());
}

#[tokio::test]
async fn a_lone_item_waits_no_longer_than_the_linger() {
    let log = support::log().await;
    let (lane, answers) = start(&log, LaneSettings::default());
    lane.push(7, 10).await.unwrap();
    support::until(2, "the pack is stored", || async { answers.lock().unwrap().len() == 1 }).await;
    assert_eq!(lane.waiting(), 0);
}

#[tokio::test]
async fn packs_stay_within_their_limits_and_in_order() {
    let log = support::log().await;
    let settings = LaneSettings { max_bytes: 100, max_items: 7, waiting_bytes: 300, ..LaneSettings::default() };
    let (lane, answers) = start(&log, settings);
    for item in 0..200 {
        lane.push(item, if item % 10 == 0 { 90 } else { 12 }).await.unwrap();
    }
    lane.close().await;
    let answers = answers.lock().unwrap();
    let items: Vec<u32> = answers.iter().flat_map(|(items, _)| items.clone()).collect();
    assert_eq!(items, (0..200).collect::<Vec<_>>());
    let bytes = |items: &[u32]| -> usize { items.iter().map(|item| if item % 10 == 0 { 90 } else { 12 }).sum() };
    assert!(answers.iter().all(|(items, stored)| stored.is_ok() && items.len() <= 7 && bytes(items) <= 100));
}

#[tokio::test]
async fn an_item_larger_than_a_pack_is_handed_back() {
    let log = support::log().await;
    let (lane, answers) = start(&log, LaneSettings { max_bytes: 100, ..LaneSettings::default() });
    assert!(matches!(lane.push(1, 101).await, Err(PushError::TooLarge(1))));
    lane.close().await;
    assert!(answers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_closed_lane_accepts_nothing_and_has_reported_every_outcome() {
    let log = support::log().await;
    let (lane, answers) = start(&log, LaneSettings { linger: Duration::from_secs(60), ..LaneSettings::default() });
    lane.push(1, 10).await.unwrap();
    lane.close().await;
    assert_eq!(answers.lock().unwrap().len(), 1);
    assert!(matches!(lane.push(2, 10).await, Err(PushError::Closed(2))));
}

#[tokio::test]
async fn a_dropped_lane_still_writes_its_queued_items() {
    let log = support::log().await;
    let (lane, answers) = start(&log, LaneSettings { linger: Duration::from_secs(60), ..LaneSettings::default() });
    lane.push(1, 10).await.unwrap();
    drop(lane);
    support::until(5, "the pack is stored", || async { answers.lock().unwrap().len() == 1 }).await;
}

#[tokio::test]
async fn every_item_of_a_pack_is_told_that_the_stream_is_full() {
    let log = support::undeclared(StreamSizes { raw_bytes: 1, ..StreamSizes::small() }).await;
    log.declare_streams().await.unwrap();
    let (lane, answers) = start(&log, LaneSettings::default());
    lane.push(1, 10).await.unwrap();
    lane.close().await;
    let answers = answers.lock().unwrap();
    assert_eq!(*answers, [(vec![1], Err("stream TELEMETRY_RAW is full".to_owned()))]);
}

#[tokio::test]
async fn pushes_wait_while_the_lane_is_full() {
    let server = support::Server::start().await;
    let log = server.log("").await;
    let (lane, answers) = start(&log, LaneSettings { max_bytes: 100, waiting_bytes: 100, ..LaneSettings::default() });
    server.freeze();
    lane.push(1, 100).await.unwrap();
    let blocked = tokio::time::timeout(Duration::from_millis(300), lane.push(2, 100)).await;
    assert!(blocked.is_err(), "the lane accepted more than its limit");
    server.thaw();
    tokio::time::timeout(Duration::from_secs(10), lane.push(3, 100)).await.unwrap().unwrap();
    lane.close().await;
    let items: Vec<u32> = answers.lock().unwrap().iter().flat_map(|(items, _)| items.clone()).collect();
    assert_eq!(items, [1, 3]);
}
