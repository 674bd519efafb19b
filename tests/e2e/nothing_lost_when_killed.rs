//! kill -9 of each role and of each server in turn, under load: nothing lost, nothing doubled, no alarm twice.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use stack::Server;

use crate::platform::{EMAIL, PASSWORD, Platform, ROLES, simulator};
use crate::until::{pause, until};

/// Messages a second while everything is killed in turn.
const RATE: u32 = 1000;
/// Devices that send them.
const DEVICES: u32 = 100;
/// Seconds of load; every kill must fit in.
const LOAD: u64 = 75;
/// Seconds from one kill to the next.
const BETWEEN: Duration = Duration::from_secs(7);

#[tokio::test(flavor = "multi_thread")]
async fn every_role_and_every_server_may_be_killed_under_load() {
    let mut platform = Platform::apart().await;
    let report = platform.folder.path().join("load.json");
    let mut load = Command::new(simulator())
        .args(["load", "--api", &platform.url(), "--mqtt", &format!("localhost:{}", platform.mqtt_port())])
        .args(["--email", EMAIL, "--password", PASSWORD, "--watch", "0"])
        .args(["--devices", &DEVICES.to_string(), "--rate", &RATE.to_string(), "--seconds", &LOAD.to_string()])
        .args(["--settle", "120", "--report"])
        .arg(&report)
        .stdout(Stdio::null())
        .spawn()
        .expect("the simulator starts");
    tokio::task::block_in_place(|| wait_for_first_reading(&platform));
    for role in ROLES {
        rest();
        platform.kill(role);
        platform.start(role);
    }
    for server in [Server::Nats, Server::Postgres, Server::Redis] {
        rest();
        let stack = platform.stack.as_mut().expect("servers of the test");
        stack.kill(server).await.expect("a kill");
        stack.restart(server).await.expect("a restart");
    }
    let status = tokio::task::block_in_place(|| load.wait()).expect("the simulator ends");
    assert!(status.success(), "the load failed: {status}");
    let figures: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert!(figures["messages"].as_u64().unwrap() > u64::from(RATE) * LOAD / 3, "hardly any load: {figures}");
    assert_eq!((&figures["missing"], &figures["doubled"]), (&Value::from(0), &Value::from(0)), "{figures}");
    tokio::task::block_in_place(|| no_alarm_is_there_twice(&platform));
}

fn wait_for_first_reading(platform: &Platform) {
    let api = platform.admin();
    until("the devices are connected", Duration::from_secs(120), || {
        let online = api.get("/api/v1/devices?connectivity=online&limit=1")["total"].as_u64().unwrap_or(0);
        if online >= u64::from(DEVICES) { Ok(()) } else { Err(online) }
    });
}

fn rest() {
    let began = Instant::now();
    while began.elapsed() < BETWEEN {
        pause();
    }
}

fn no_alarm_is_there_twice(platform: &Platform) {
    let alarms = platform.admin().get("/api/v1/alarms?limit=1000");
    let all: Vec<_> = alarms["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| (alarm["ruleId"].to_string(), alarm["entityId"].to_string(), alarm["raisedAt"].to_string()))
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
}
