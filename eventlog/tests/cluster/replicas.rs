//! Raising the number of replicas on a running system.

use eventlog::buckets::BucketName;
use eventlog::streams::Error;
use eventlog::{Log, Stream};

use crate::checks::assert_nothing_lost_or_duplicated;
use crate::load::Load;
use crate::test_cluster::{TestCluster, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_can_be_raised_under_load_after_the_difference_was_reported() {
    let world = TestCluster::start(1).await;
    let three = Log::connect(settings(&world.cluster, 3)).await.unwrap();
    let text = three.check_streams().await.unwrap_err().to_string();
    assert!(text.contains("argusiq migrate --replicas 3"), "{text}");
    let load = Load::start(&world.log);
    load.wait_for_answers(60).await;
    let changed = three.change_replicas().await.unwrap();
    assert_eq!(changed.len(), Stream::ALL.len() + BucketName::ALL.len());
    load.wait_for_answers(60).await;
    three.check_streams().await.unwrap();
    assert!(matches!(world.log.check_streams().await, Err(Error::Replicas { .. })));
    let ended = load.end(&three).await;
    assert_nothing_lost_or_duplicated(&three, &ended).await;
    assert!(three.change_replicas().await.unwrap().is_empty(), "repeating it changes nothing");
    let leader = world.leader(Stream::Es).await;
    assert!(leader < 3);
}
