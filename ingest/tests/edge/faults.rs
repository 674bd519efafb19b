//! Doors and the log server killed: the log server killed under the door: acknowledgements wait for it, memory is bounded, nothing is lost or doubled.

use std::time::Duration;

use domain::telemetry::PresenceKind::{Connected, EdgeLost};
use eventlog::Stream;
use stack::Server;
use stack::testing::TestStack;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::client::{Ask, Client, Version, publish_octets};
use crate::world::{Device, World, eventually};

async fn own_server() -> TestStack {
    TestStack::start(|options| options.only(Server::Nats)).await.unwrap()
}

fn payload(number: u16) -> String {
    format!(r#"{{"metrics":{{"n":{number}}}}}"#)
}

fn octets(device: &Device, numbers: impl Iterator<Item = u16>) -> Vec<u8> {
    let one = |number| publish_octets(Version::V5, &device.topic(), payload(number).as_bytes(), 1, number);
    numbers.flat_map(|number| one(number).to_vec()).collect()
}

#[tokio::test]
async fn acknowledgements_wait_for_a_log_that_was_killed_and_nothing_is_lost_or_doubled() {
    let mut stack = own_server().await;
    let world = World::on(&stack.urls().nats.clone(), "faults").await;
    let (door, device) = (world.door().await, world.device().await);
    let mut client = Client::connect(&door, &device, Version::V5).await;
    client.send(&octets(&device, 1..=100)).await;
    for number in 1..=100 {
        assert_eq!(client.receive_puback().await, (number, 0));
    }
    // Some of these are on their way when the server dies.
    client.send(&octets(&device, 101..=150)).await;
    stack.kill(Server::Nats).await.unwrap();
    client.send(&octets(&device, 151..=400)).await;
    let mut acknowledged = 100;
    while let Some(answer) = client.next(Duration::from_secs(2)).await {
        acknowledged += 1;
        assert_eq!(answer.body[..2], u16::to_be_bytes(acknowledged));
    }
    assert!(acknowledged <= 150, "{acknowledged} were acknowledged without a log");
    stack.restart(Server::Nats).await.unwrap();
    for number in acknowledged + 1..=400 {
        assert_eq!(client.receive_puback().await, (number, 0));
    }
    assert_eq!(world.raw_payloads().await, (1..=400).map(payload).collect::<Vec<_>>());
    world.told(&device, Connected, None).await;
    door.close().await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn while_the_log_is_away_devices_are_not_read_and_new_ones_not_let_in() {
    let mut stack = own_server().await;
    let world = World::on(&stack.urls().nats.clone(), "faults").await;
    let narrow = |config: &mut ingest::Config| {
        config.limits.lane_bytes = 512 * 1024;
        config.limits.messages_per_second = 1_000_000;
        config.limits.message_burst = 1_000_000;
    };
    let (door, device, late) = (world.door_with(narrow).await, world.device().await, world.device().await);
    let mut client = Client::connect(&door, &device, Version::V3).await;
    world.told(&device, Connected, None).await;
    stack.kill(Server::Nats).await.unwrap();
    // QoS 0 has no acknowledgement to wait for: only the lane and the socket hold it back.
    let text = "x".repeat(900);
    let message = |number: u32| format!(r#"{{"metrics":{{"n":{number},"text":"{text}"}}}}"#);
    let mut written = 0;
    loop {
        let octets = publish_octets(Version::V3, &device.topic(), message(written).as_bytes(), 0, 0);
        if timeout(Duration::from_secs(1), client.stream.write_all(&octets)).await.is_err() {
            break;
        }
        written += 1;
        assert!(written < 40_000, "the door takes without end");
    }
    assert!(written > 400, "{written}");
    let refused = || async {
        let mut second = Client::shake(&door, &late, Version::V5).await;
        (second.ask(&late, Ask::default()).await.body[1] == 0x88).then_some(())
    };
    eventually("a refusal by a door that is behind", refused).await;
    stack.restart(Server::Nats).await.unwrap();
    client.stream.flush().await.unwrap();
    let all = || async {
        let state = world.log.state(Stream::TelemetryRaw).await.ok()?;
        let raw = if state.messages == 0 { Vec::new() } else { world.raw_payloads().await };
        (raw.len() >= written as usize).then_some(raw)
    };
    let raw = eventually("everything written", all).await;
    let expected: Vec<_> = (0..written).map(message).collect();
    assert_eq!(raw[..expected.len()], expected);
    let let_in = || async {
        let mut second = Client::shake(&door, &late, Version::V5).await;
        (second.ask(&late, Ask::default()).await.body[1] == 0).then_some(())
    };
    eventually("admission by a door that has caught up", let_in).await;
    door.close().await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_door_that_comes_back_after_a_crash_first_tells_that_its_former_sessions_are_over() {
    let world = World::new().await;
    let (doomed, device) = (world.doomed_door("edge-1"), world.device().await);
    let _client = Client::connect(&doomed.door, &device, Version::V3).await;
    world.told(&device, Connected, None).await;
    doomed.crash();
    let door = world.door().await;
    let _client = Client::connect(&door, &device, Version::V3).await;
    let both = || async { Some(world.presence_of(&device).await).filter(|facts| facts.len() == 2).map(drop) };
    eventually("the second session", both).await;
    let kinds = world.presence_beside(&device).await;
    let edge = || "edge-1".to_owned();
    assert_eq!(kinds, [(EdgeLost, edge()), (Connected, edge()), (EdgeLost, edge()), (Connected, edge())]);
    door.close().await;
}

#[tokio::test]
async fn a_door_that_crashed_for_good_is_told_by_another_one() {
    let world = World::new().await;
    let (doomed, device) = (world.doomed_door("edge-1"), world.device().await);
    let door = world.door_with(|config| config.instance = "edge-2".into()).await;
    let _client = Client::connect(&doomed.door, &device, Version::V3).await;
    world.told(&device, Connected, None).await;
    doomed.crash();
    let told = || async {
        let facts = world.presence_beside(&device).await;
        let connected = facts.iter().position(|(kind, _)| *kind == Connected)?;
        facts[connected..].contains(&(EdgeLost, "edge-1".into())).then_some(())
    };
    eventually("the loss of the first door", told).await;
    door.close().await;
}
