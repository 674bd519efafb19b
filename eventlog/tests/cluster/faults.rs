//! Nodes that die, that are cut off, and that are restarted in turn.

use std::time::Duration;

use eventlog::Stream;

use crate::checks::{ANSWERED_AFTER_ELECTION, ANSWERED_AGAIN, nothing_lost_nothing_doubled};
use crate::load::Load;
use crate::test_cluster::TestCluster;

/// Longer than a follower waits for its leader before it stands for election, 4 to 9 s in nats-server.
const LONGER_THAN_AN_ELECTION: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_of_each_stream_is_killed_and_comes_back() {
    let mut world = TestCluster::start(3).await;
    let load = Load::start(&world.log);
    for stream in [Stream::Es, Stream::TelemetryRaw] {
        load.goes_on(60).await;
        let leader = world.leader(stream).await;
        world.cluster.kill(leader).await.unwrap();
        load.goes_on(60).await;
        world.cluster.start_node(leader).await.unwrap();
    }
    load.goes_on(60).await;
    let ended = load.end(&world.log).await;
    let longest = nothing_lost_nothing_doubled(&world.log, &ended).await;
    assert!(longest < ANSWERED_AFTER_ELECTION, "no command was answered for {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_comes_back() {
    let world = TestCluster::start(3).await;
    let load = Load::start(&world.log);
    load.goes_on(60).await;
    let leader = world.leader(Stream::Es).await;
    world.cluster.cut_off(leader).await.unwrap();
    // Not a condition: so long must it be away that the others have elected without it.
    tokio::time::sleep(LONGER_THAN_AN_ELECTION).await;
    load.goes_on(30).await;
    world.cluster.join(leader).unwrap();
    world.cluster.wait_until_well(leader).await.unwrap();
    load.goes_on(60).await;
    let ended = load.end(&world.log).await;
    let longest = nothing_lost_nothing_doubled(&world.log, &ended).await;
    assert!(longest < ANSWERED_AFTER_ELECTION, "no command was answered for {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_are_restarted_one_after_another() {
    let mut world = TestCluster::start(3).await;
    let load = Load::start(&world.log);
    for node in 0..3 {
        load.goes_on(40).await;
        world.cluster.stop_node(node).await.unwrap();
        world.cluster.start_node(node).await.unwrap();
    }
    load.goes_on(40).await;
    let ended = load.end(&world.log).await;
    let longest = nothing_lost_nothing_doubled(&world.log, &ended).await;
    assert!(longest < ANSWERED_AGAIN, "no command was answered for {longest:?}");
}
