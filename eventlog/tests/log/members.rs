//! Ownership of partitions: divided among the living, moved when one dies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use eventlog::{Log, Membership, PARTITIONS};
use tokio_util::sync::CancellationToken;

use crate::support;

async fn join(log: &Log, member: &str) -> Membership {
    Membership::join(log, member, &["normalizer"], CancellationToken::new()).await.unwrap()
}

fn owned(member: &Membership) -> BTreeSet<u16> {
    member.owned("normalizer").borrow().clone()
}

fn everything() -> BTreeSet<u16> {
    (0..PARTITIONS).collect()
}

async fn divided(a: &Membership, b: &Membership) {
    support::until(5, "both members divide the partitions", || async {
        let (a, b) = (owned(a), owned(b));
        !a.is_empty() && !b.is_empty() && a.is_disjoint(&b) && &a | &b == everything()
    })
    .await;
}

#[tokio::test]
async fn one_member_owns_everything_it_does_and_nothing_else() {
    let log = support::log().await;
    let alone = join(&log, "a").await;
    assert_eq!(owned(&alone), everything());
    assert!(alone.owned("rule_evaluator").borrow().is_empty());
    alone.leave().await;
}

#[tokio::test]
async fn a_member_that_leaves_hands_over_at_once() {
    let log = support::log().await;
    let (a, b) = (join(&log, "a").await, join(&log, "b").await);
    divided(&a, &b).await;
    b.leave().await;
    support::until(2, "the other owns everything", || async { owned(&a) == everything() }).await;
}

#[tokio::test]
async fn the_partitions_of_a_dead_member_move_within_ten_seconds() {
    let log = support::log().await;
    let a = join(&log, "a").await;
    // A process that dies renews nothing more: its whole runtime goes away without taking leave.
    let (told, joined) = tokio::sync::oneshot::channel();
    let (kill, killed) = std::sync::mpsc::channel::<()>();
    let settings = log.settings().clone();
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let member = runtime.block_on(async {
            let log = Log::connect(settings).await.unwrap();
            join(&log, "b").await
        });
        told.send(()).unwrap();
        killed.recv().unwrap();
        runtime.shutdown_background();
        drop(member);
    });
    joined.await.unwrap();
    support::until(5, "the partitions are divided", || async { owned(&a).len() < usize::from(PARTITIONS) }).await;
    kill.send(()).unwrap();
    process.join().unwrap();
    let died = Instant::now();
    support::until(10, "the survivor owns everything", || async { owned(&a) == everything() }).await;
    assert!(died.elapsed() > Duration::from_secs(1), "the dead member was never counted as alive");
    a.leave().await;
}

#[tokio::test]
async fn a_member_cut_off_from_the_log_owns_nothing() {
    let mut server = support::Server::start().await;
    let log = server.log("").await;
    let alone = join(&log, "a").await;
    assert_eq!(owned(&alone), everything());
    server.kill().await;
    support::until(8, "it gives up its partitions", || async { owned(&alone).is_empty() }).await;
    server.restart().await;
    support::until(15, "it takes them again", || async { owned(&alone) == everything() }).await;
}
