//! Crashes of doors and of the log server: acknowledgements wait for the log, memory stays bounded, nothing is lost or
//! duplicated.

use std::time::Duration;

use domain::telemetry::PresenceKind::{Connected, EdgeLost};
use eventlog::Stream;
use stack::Server;
use stack::testing::TestStack;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::mqtt_client::{Client, ConnectOptions, Version, publish_packet};
use crate::test_platform::{Device, TestPlatform, eventually};

async fn own_server() -> TestStack {
    TestStack::start(|options| options.only(Server::Nats)).await.unwrap()
}

fn payload(number: u16) -> String {
    format!(r#"{{"metrics":{{"n":{number}}}}}"#)
}

fn publish_packets(device: &Device, numbers: impl Iterator<Item = u16>) -> Vec<u8> {
    let one = |number| publish_packet(Version::V5, &device.topic(), payload(number).as_bytes(), 1, number);
    numbers.flat_map(|number| one(number).to_vec()).collect()
}

#[tokio::test]
async fn acknowledgements_wait_for_a_log_that_was_killed_and_nothing_is_lost_or_doubled() {
    let mut stack = own_server().await;
    let platform = TestPlatform::on(&stack.urls().nats.clone(), "faults").await;
    let (door, device) = (platform.door().await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V5).await;
    client.send(&publish_packets(&device, 1..=100)).await;
    for number in 1..=100 {
        assert_eq!(client.receive_puback().await, (number, 0));
    }
    // Some of these are in flight when the server is killed.
    client.send(&publish_packets(&device, 101..=150)).await;
    stack.kill(Server::Nats).await.unwrap();
    client.send(&publish_packets(&device, 151..=400)).await;
    let mut acknowledged = 100;
    while let Some(answer) = client.next(Duration::from_secs(2)).await {
        acknowledged += 1;
        assert_eq!(answer.body[..2], u16::to_be_bytes(acknowledged));
    }
    assert!(acknowledged <= 150, "{acknowledged} messages were acknowledged without a log");
    stack.restart(Server::Nats).await.unwrap();
    for number in acknowledged + 1..=400 {
        assert_eq!(client.receive_puback().await, (number, 0));
    }
    assert_eq!(platform.raw_payloads().await, (1..=400).map(payload).collect::<Vec<_>>());
    platform.wait_for_presence(&device, Connected, None).await;
    door.close().await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn while_the_log_is_down_devices_are_not_read_and_new_ones_are_refused() {
    let mut stack = own_server().await;
    let platform = TestPlatform::on(&stack.urls().nats.clone(), "faults").await;
    let narrow = |config: &mut ingest::Config| {
        config.limits.lane_bytes = 512 * 1024;
        config.limits.messages_per_second = 1_000_000;
        config.limits.message_burst = 1_000_000;
    };
    let (door, device, late) = (platform.door_with(narrow).await, platform.device().await, platform.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    platform.wait_for_presence(&device, Connected, None).await;
    stack.kill(Server::Nats).await.unwrap();
    // QoS 0 has no acknowledgements, so only the lane and the socket's buffers limit it.
    let text = "x".repeat(900);
    let message = |number: u32| format!(r#"{{"metrics":{{"n":{number},"text":"{text}"}}}}"#);
    let mut written = 0;
    loop {
        let bytes = publish_packet(Version::V3, &device.topic(), message(written).as_bytes(), 0, 0);
        if timeout(Duration::from_secs(1), client.stream.write_all(&bytes)).await.is_err() {
            break;
        }
        written += 1;
        assert!(written < 40_000, "the door reads without limit");
    }
    assert!(written > 400, "{written}");
    let refused = || async {
        let mut second = Client::handshake(&door, &late, Version::V5).await;
        (second.send_connect(&late, ConnectOptions::default()).await.body[1] == 0x88).then_some(())
    };
    eventually("a refusal by a door that is behind", refused).await;
    stack.restart(Server::Nats).await.unwrap();
    client.stream.flush().await.unwrap();
    let all = || async {
        let state = platform.log.state(Stream::TelemetryRaw).await.ok()?;
        let raw = if state.messages == 0 { Vec::new() } else { platform.raw_payloads().await };
        (raw.len() >= written as usize).then_some(raw)
    };
    let raw = eventually("everything written", all).await;
    let expected: Vec<_> = (0..written).map(message).collect();
    assert_eq!(raw[..expected.len()], expected);
    let let_in = || async {
        let mut second = Client::handshake(&door, &late, Version::V5).await;
        (second.send_connect(&late, ConnectOptions::default()).await.body[1] == 0).then_some(())
    };
    eventually("admission by a door that has caught up", let_in).await;
    door.close().await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_door_restarted_after_a_crash_first_reports_its_former_sessions_as_ended() {
    let platform = TestPlatform::new().await;
    let (crashable, device) = (platform.crashable_door("edge-1"), platform.device().await);
    let _client = Client::connect(&crashable.door, &device, Version::V3).await;
    platform.wait_for_presence(&device, Connected, None).await;
    crashable.crash();
    let door = platform.door().await;
    let _client = Client::connect(&door, &device, Version::V3).await;
    let both = || async { Some(platform.presence_of(&device).await).filter(|facts| facts.len() == 2).map(drop) };
    eventually("the second session", both).await;
    let kinds = platform.partition_presence(&device).await;
    let edge = || "edge-1".to_owned();
    assert_eq!(kinds, [(EdgeLost, edge()), (Connected, edge()), (EdgeLost, edge()), (Connected, edge())]);
    door.close().await;
}

#[tokio::test]
async fn a_crashed_door_is_reported_by_another_one() {
    let platform = TestPlatform::new().await;
    let (crashable, device) = (platform.crashable_door("edge-1"), platform.device().await);
    let door = platform.door_with(|config| config.instance = "edge-2".into()).await;
    let _client = Client::connect(&crashable.door, &device, Version::V3).await;
    platform.wait_for_presence(&device, Connected, None).await;
    crashable.crash();
    let reported = || async {
        let facts = platform.partition_presence(&device).await;
        let connected = facts.iter().position(|(kind, _)| *kind == Connected)?;
        facts[connected..].contains(&(EdgeLost, "edge-1".into())).then_some(())
    };
    eventually("the loss of the first door", reported).await;
    door.close().await;
}
