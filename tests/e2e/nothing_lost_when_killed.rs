//! kill -9 of each role and of each server in turn, under load: nothing lost, nothing doubled, no alarm twice.

use std::collections::BTreeSet;
use std::time::Duration;

use stack::Server;

use crate::load::Load;
use crate::platform::{Platform, ROLES};
use crate::wait::wait_for;

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
    let mut platform = Platform::separate_roles().await;
    let load = Load::start(&platform, DEVICES, RATE, LOAD);
    for role in ROLES {
        wait_for(BETWEEN);
        platform.kill(role);
        platform.start(role);
    }
    for server in [Server::Nats, Server::Postgres, Server::Redis] {
        wait_for(BETWEEN);
        let stack = platform.stack.as_mut().expect("servers of the test");
        stack.kill(server).await.expect("a kill");
        stack.restart(server).await.expect("a restart");
    }
    tokio::task::block_in_place(|| load.assert_nothing_missing_or_duplicated());
    tokio::task::block_in_place(|| no_alarm_is_there_twice(&platform));
}

/// Compares all alarms by rule, entity and time.
pub fn no_alarm_is_there_twice(platform: &Platform) {
    let alarms = platform.admin().get("/api/v1/alarms?limit=1000");
    let all: Vec<_> = alarms["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| (alarm["ruleId"].to_string(), alarm["entityId"].to_string(), alarm["raisedAt"].to_string()))
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
}
