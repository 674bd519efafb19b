//! Replicas raised on a running system.

use eventlog::buckets::BucketName;
use eventlog::streams::Error;
use eventlog::{Log, Stream};

use crate::checks::nothing_lost_nothing_doubled;
use crate::load::Load;
use crate::test_cluster::{TestCluster, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_raised_under_load_and_the_difference_is_explained_before() {
    let world = TestCluster::start(1).await;
    let three = Log::connect(settings(&world.cluster, 3)).await.unwrap();
    let text = three.check_streams().await.unwrap_err().to_string();
    assert!(text.contains("argusiq migrate --replicas 3"), "{text}");
    let load = Load::start(&world.log);
    load.goes_on(60).await;
    let changed = three.change_replicas().await.unwrap();
    assert_eq!(changed.len(), Stream::ALL.len() + BucketName::ALL.len());
    load.goes_on(60).await;
    three.check_streams().await.unwrap();
    assert!(matches!(world.log.check_streams().await, Err(Error::Replicas { .. })));
    let ended = load.end(&three).await;
    nothing_lost_nothing_doubled(&three, &ended).await;
    assert!(three.change_replicas().await.unwrap().is_empty(), "a second time changes nothing");
    let leader = world.leader(Stream::Es).await;
    assert!(leader < 3);
}
