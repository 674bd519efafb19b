//! Ownership of partitions: divided among live members, reassigned when one dies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use eventlog::{Log, Member, Membership, PARTITIONS, members};
use tokio_util::sync::CancellationToken;

use crate::support;

async fn join(log: &Log, member: &str) -> Membership {
    Membership::join(log, member, &["normalizer"], CancellationToken::new()).await.unwrap()
}

fn owned(member: &Membership) -> BTreeSet<u16> {
    member.owned("normalizer").borrow().clone()
}

fn all_partitions() -> BTreeSet<u16> {
    (0..PARTITIONS).collect()
}

async fn divided(a: &Membership, b: &Membership) {
    support::until(5, "both members divide the partitions", || async {
        let (a, b) = (owned(a), owned(b));
        !a.is_empty() && !b.is_empty() && a.is_disjoint(&b) && &a | &b == all_partitions()
    })
    .await;
}

#[tokio::test]
async fn a_single_member_owns_all_partitions_of_its_kinds_only() {
    let log = support::log().await;
    let alone = join(&log, "a").await;
    assert_eq!(owned(&alone), all_partitions());
    assert!(alone.owned("rule_evaluator").borrow().is_empty());
    alone.leave().await;
}

#[tokio::test]
async fn a_member_that_leaves_hands_over_at_once() {
    let log = support::log().await;
    let (a, b) = (join(&log, "a").await, join(&log, "b").await);
    divided(&a, &b).await;
    b.leave().await;
    support::until(2, "the other owns everything", || async { owned(&a) == all_partitions() }).await;
}

#[tokio::test]
async fn the_partitions_of_a_dead_member_are_reassigned_within_ten_seconds() {
    let log = support::log().await;
    let a = join(&log, "a").await;
    // Simulates a process that dies: its whole runtime disappears without leaving the membership.
    let (announce, joined) = tokio::sync::oneshot::channel();
    let (kill, killed) = std::sync::mpsc::channel::<()>();
    let settings = log.settings().clone();
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let member = runtime.block_on(async {
            let log = Log::connect(settings).await.unwrap();
            join(&log, "b").await
        });
        announce.send(()).unwrap();
        killed.recv().unwrap();
        runtime.shutdown_background();
        drop(member);
    });
    joined.await.unwrap();
    support::until(5, "the partitions are divided", || async { owned(&a).len() < usize::from(PARTITIONS) }).await;
    kill.send(()).unwrap();
    process.join().unwrap();
    let died = Instant::now();
    support::until(10, "the survivor owns everything", || async { owned(&a) == all_partitions() }).await;
    assert!(died.elapsed() > Duration::from_secs(1), "the dead member's entry expired too early");
    a.leave().await;
}

#[tokio::test]
async fn a_member_disconnected_from_the_log_owns_nothing() {
    let mut server = support::Server::start().await;
    let log = server.log("").await;
    let alone = join(&log, "a").await;
    assert_eq!(owned(&alone), all_partitions());
    server.kill().await;
    support::until(8, "the member gives up its partitions", || async { owned(&alone).is_empty() }).await;
    server.restart().await;
    support::until(15, "the member owns them again", || async { owned(&alone) == all_partitions() }).await;
}

#[tokio::test]
async fn a_name_belongs_to_one_live_process_and_is_free_once_it_leaves() {
    let log = support::log().await;
    let first = join(&log, "a").await;
    let second = Membership::join(&log, "a", &["normalizer"], CancellationToken::new()).await;
    let refused = second.err().expect("the name is taken");
    assert!(matches!(&refused, members::Error::NameTaken(name) if name == "a"), "{refused}");
    assert_eq!(owned(&first), all_partitions(), "the first member keeps its partitions");
    first.leave().await;
    let began = Instant::now();
    let third = join(&log, "a").await;
    assert!(began.elapsed() < Duration::from_secs(2), "the name must be free immediately");
    third.leave().await;
}

#[tokio::test]
async fn a_dead_processs_name_is_free_once_its_entry_expires() {
    let log = support::log().await;
    let (dead, died) = (
        CancellationToken::new(),
        std::thread::spawn({
            let settings = log.settings().clone();
            move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                let member = runtime.block_on(async { join(&Log::connect(settings).await.unwrap(), "a").await });
                runtime.shutdown_background();
                drop(member);
            }
        }),
    );
    died.join().unwrap();
    let began = Instant::now();
    let successor = Membership::join(&log, "a", &["normalizer"], dead).await.expect("the next process gets the name");
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(10), "{waited:?}");
    assert_eq!(owned(&successor), all_partitions());
    successor.leave().await;
}

#[tokio::test]
async fn members_announce_their_version_and_shards() {
    let log = support::log().await;
    let edge = Membership::join(&log, Member::new("edge-1").with_shards([3, 4]), &["edge"], CancellationToken::new())
        .await
        .unwrap();
    let entries = members::list(&log).await.unwrap();
    let entry = &entries["edge-1"];
    assert_eq!((entry.version.as_str(), entry.shards.clone()), (env!("CARGO_PKG_VERSION"), BTreeSet::from([3, 4])));
    edge.leave().await;
    assert!(members::list(&log).await.unwrap().is_empty());
}

#[tokio::test]
async fn names_with_invalid_characters_are_refused() {
    let log = support::log().await;
    for name in ["", "a.b", "a b", "a*"] {
        let refused = Membership::join(&log, name, &["normalizer"], CancellationToken::new()).await.err();
        assert!(matches!(refused, Some(members::Error::InvalidName(_))), "{name:?}");
    }
}
