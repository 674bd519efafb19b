//! Ownership of partitions: divided among the living, moved when one dies.

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

#[tokio::test]
async fn a_name_belongs_to_one_live_process_and_is_free_once_that_one_left() {
    let log = support::log().await;
    let first = join(&log, "a").await;
    let second = Membership::join(&log, "a", &["normalizer"], CancellationToken::new()).await;
    let refused = second.err().expect("the name is taken");
    assert!(matches!(&refused, members::Error::NameTaken(name) if name == "a"), "{refused}");
    assert_eq!(owned(&first), everything(), "the first goes on");
    first.leave().await;
    let began = Instant::now();
    let third = join(&log, "a").await;
    assert!(began.elapsed() < Duration::from_secs(2), "the name was free at once");
    third.leave().await;
}

#[tokio::test]
async fn the_name_of_a_dead_process_is_taken_once_its_entry_is_gone() {
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
    let heir = Membership::join(&log, "a", &["normalizer"], dead).await.expect("the name falls to the next");
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(10), "{waited:?}");
    assert_eq!(owned(&heir), everything());
    heir.leave().await;
}

#[tokio::test]
async fn members_tell_their_version_and_where_they_work() {
    let log = support::log().await;
    let door = Membership::join(&log, Member::new("door").with_shards([3, 4]), &["edge"], CancellationToken::new())
        .await
        .unwrap();
    let entries = members::list(&log).await.unwrap();
    let entry = &entries["door"];
    assert_eq!((entry.version.as_str(), entry.shards.clone()), (env!("CARGO_PKG_VERSION"), BTreeSet::from([3, 4])));
    door.leave().await;
    assert!(members::list(&log).await.unwrap().is_empty());
}

#[tokio::test]
async fn names_with_other_characters_are_refused() {
    let log = support::log().await;
    for name in ["", "a.b", "a b", "a*"] {
        let refused = Membership::join(&log, name, &["normalizer"], CancellationToken::new()).await.err();
        assert!(matches!(refused, Some(members::Error::InvalidName(_))), "{name:?}");
    }
}
