//! A cluster of three nodes: it starts, survives faults of its nodes, and ends with its owner.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpStream;

use stack::{Cluster, ClusterOptions};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_from_a_kill_a_pause_and_a_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(ClusterOptions::new(folder.path())).await.unwrap();
    let address = |cluster: &Cluster, node| cluster.node_url(node).trim_start_matches("nats://").to_owned();
    assert_eq!(cluster.number("nats-2"), Some(1));
    cluster.kill(0).await.unwrap();
    assert!(TcpStream::connect(address(&cluster, 0)).is_err());
    cluster.start_node(0).await.unwrap();
    cluster.pause(1).await.unwrap();
    cluster.resume(1).unwrap();
    cluster.wait_until_well(1).await.unwrap();
    cluster.cut_off(2).await.unwrap();
    cluster.join(2).unwrap();
    cluster.wait_until_well(2).await.unwrap();
    let pids: Vec<_> = (0..3).map(|node| cluster.pid(node).unwrap()).collect();
    drop(cluster);
    let alive = |pid: &u32| std::path::Path::new(&format!("/proc/{pid}/exe")).exists();
    assert!(!pids.iter().any(alive), "a node outlived its cluster");
}
