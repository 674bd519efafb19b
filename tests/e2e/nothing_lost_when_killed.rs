//! kill -9 of each role and each server in turn under load: no message is lost or duplicated, no alarm is duplicated.

use std::collections::BTreeSet;
use std::time::Duration;

use stack::Server;

use crate::load::Load;
use crate::platform::{Platform, ROLES};
use crate::wait::wait_for;

/// Messages per second during the kills.
const RATE: u32 = 1000;
/// Number of devices that send them.
const DEVICES: u32 = 100;
/// Seconds of load; all kills must happen within.
const LOAD_SECONDS: u64 = 75;
/// Time between two kills.
const BETWEEN: Duration = Duration::from_secs(7);

#[tokio::test(flavor = "multi_thread")]
async fn killing_every_role_and_every_server_under_load_loses_nothing() {
    let mut platform = Platform::separate_roles().await;
    let load = Load::start(&platform, DEVICES, RATE, LOAD_SECONDS);
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
    tokio::task::block_in_place(|| assert_no_duplicate_alarms(&platform));
}

/// Asserts that no two alarms have the same rule, entity and time.
pub fn assert_no_duplicate_alarms(platform: &Platform) {
    let alarms = platform.admin().get("/api/v1/alarms?limit=1000");
    let all: Vec<_> = alarms["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| (alarm["ruleId"].to_string(), alarm["entityId"].to_string(), alarm["raisedAt"].to_string()))
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
}
