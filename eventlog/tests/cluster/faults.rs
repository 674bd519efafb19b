//! Nodes that crash, are partitioned from the network, or are restarted in turn.

use std::time::Duration;

use eventlog::Stream;

use crate::checks::{ANSWERED_AFTER_ELECTION, ANSWERED_AGAIN, assert_nothing_lost_or_duplicated};
use crate::load::Load;
use crate::test_cluster::TestCluster;

/// Longer than the 4 to 9 s after which a nats-server follower starts an election.
const LONGER_THAN_AN_ELECTION: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_each_streams_leader_is_killed_and_returns() {
    let mut world = TestCluster::start(3).await;
    let load = Load::start(&world.log);
    for stream in [Stream::Es, Stream::TelemetryRaw] {
        load.wait_for_answers(60).await;
        let leader = world.leader(stream).await;
        world.cluster.kill(leader).await.unwrap();
        load.wait_for_answers(60).await;
        world.cluster.start_node(leader).await.unwrap();
    }
    load.wait_for_answers(60).await;
    let ended = load.end(&world.log).await;
    let longest = assert_nothing_lost_or_duplicated(&world.log, &ended).await;
    assert!(longest < ANSWERED_AFTER_ELECTION, "no command was answered for {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_a_node_is_partitioned_and_returns() {
    let world = TestCluster::start(3).await;
    let load = Load::start(&world.log);
    load.wait_for_answers(60).await;
    let leader = world.leader(Stream::Es).await;
    world.cluster.cut_off(leader).await.unwrap();
    // A fixed wait, not a condition: the node must be away long enough for the others to elect a new leader.
    tokio::time::sleep(LONGER_THAN_AN_ELECTION).await;
    load.wait_for_answers(30).await;
    world.cluster.join(leader).unwrap();
    world.cluster.wait_until_well(leader).await.unwrap();
    load.wait_for_answers(60).await;
    let ended = load.end(&world.log).await;
    let longest = assert_nothing_lost_or_duplicated(&world.log, &ended).await;
    assert!(longest < ANSWERED_AFTER_ELECTION, "no command was answered for {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_a_rolling_restart() {
    let mut world = TestCluster::start(3).await;
    let load = Load::start(&world.log);
    for node in 0..3 {
        load.wait_for_answers(40).await;
        world.cluster.stop_node(node).await.unwrap();
        world.cluster.start_node(node).await.unwrap();
    }
    load.wait_for_answers(40).await;
    let ended = load.end(&world.log).await;
    let longest = assert_nothing_lost_or_duplicated(&world.log, &ended).await;
    assert!(longest < ANSWERED_AGAIN, "no command was answered for {longest:?}");
}
