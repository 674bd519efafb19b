//! The HTTP door while the log is down: the wait is bounded, the outcome is reported as unknown, and no accepted
//! message is lost.

use std::time::{Duration, Instant};

use stack::Server;
use stack::testing::TestStack;

use crate::http_client::{BATCH_PATH, HttpClient, TELEMETRY_PATH, http_door_with};
use crate::test_platform::{TestPlatform, eventually};

#[tokio::test]
async fn while_the_log_is_down_the_outcome_is_unknown_and_accepted_messages_survive() {
    let mut stack = TestStack::start(|options| options.only(Server::Nats)).await.unwrap();
    let platform = TestPlatform::on(&stack.urls().nats.clone(), "http").await;
    let patient = |config: &mut ingest::Config, limits: &mut ingest::HttpLimits| {
        limits.answer_within = Duration::from_millis(500);
        // Keep accepting with a stale directory: this test is about the outcome.
        config.limits.max_directory_lag = Duration::from_secs(3_600);
    };
    let (door, device) = (http_door_with(&platform, patient).await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    let reading = |number: u32| format!(r#"{{"metrics":{{"n":{number}}}}}"#);
    assert_eq!(client.post(TELEMETRY_PATH, reading(1)).await.status, 202);
    stack.kill(Server::Nats).await.unwrap();
    let began = Instant::now();
    for (path, body) in [(TELEMETRY_PATH, reading(2)), (BATCH_PATH, format!("[{},{}]", reading(3), reading(4)))] {
        let answer = client.post(path, body).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
        assert_eq!(answer.json["type"], "urn:argusiq:problem:outcome-unknown");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    stack.restart(Server::Nats).await.unwrap();
    let taken = async || (client_post(&door, &device, reading(5)).await == 202).then_some(());
    eventually("the log is back", taken).await;
    let raw = platform.raw_payloads().await;
    // Messages with an unknown outcome were stored once and in order, and every accepted one is there.
    let known: Vec<_> = raw.iter().take(4).cloned().collect();
    assert_eq!(known, (1..=4).map(reading).collect::<Vec<_>>());
    assert!(raw[4..].iter().all(|payload| *payload == reading(5)), "{raw:?}");
    door.door.close().await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_door_with_a_stale_directory_accepts_nothing() {
    let mut stack = TestStack::start(|options| options.only(Server::Nats)).await.unwrap();
    let platform = TestPlatform::on(&stack.urls().nats.clone(), "http").await;
    let hasty = |config: &mut ingest::Config, limits: &mut ingest::HttpLimits| {
        limits.answer_within = Duration::from_millis(100);
        config.limits.max_directory_lag = Duration::from_millis(800);
    };
    let (door, device) = (http_door_with(&platform, hasty).await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    assert_eq!(client.post(TELEMETRY_PATH, r#"{"metrics":{"n":0}}"#).await.status, 202);
    stack.kill(Server::Nats).await.unwrap();
    let began = Instant::now();
    loop {
        let answer = client.post(TELEMETRY_PATH, r#"{"metrics":{"n":1}}"#).await;
        assert_eq!(answer.status, 503);
        if answer.json["type"] == "urn:argusiq:problem:unavailable" {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{answer:?}");
    }
    stack.restart(Server::Nats).await.unwrap();
    door.door.close().await;
    stack.stop().await.unwrap();
}

async fn client_post(door: &crate::http_client::HttpDoor, device: &crate::test_platform::Device, body: String) -> u16 {
    HttpClient::with_certificate(door, device).await.post(TELEMETRY_PATH, body).await.status
}
