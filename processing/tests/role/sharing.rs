//! Several processes that share the partitions.

use eventlog::{Member, Stream};
use processing::StageName;

use crate::world::{World, asset, device, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_owned_moves_to_another_and_nothing_happens_twice() {
    let world = World::new().await;
    let (one, two) = (world.start("one", &StageName::ALL), world.start("two", &StageName::ALL));
    for n in 0..4 {
        world.measure(n, 0, 90.0).await;
    }
    until(30, "four devices and four assets have work orders", || async {
        world.last(Stream::ActivitiesCreated).await >= 8
    })
    .await;
    one.kill().await;
    for n in 0..4 {
        world.measure(n, 1_000, 20.0).await;
    }
    let returned =
        || async { world.seen().await.alarms.values().filter(|alarm| alarm.contains(&"returned")).count() == 8 };
    until(30, "all alarms have returned", returned).await;
    two.stop().await;
    let seen = world.seen().await;
    assert_eq!(seen.alarms.len(), 8);
    assert!((0..4).all(|n| seen.readings[&device(n).0].len() == 2 && seen.values[&asset(n)].len() == 2), "{seen:?}");
    assert!(seen.notices.values().all(|count| *count == 1), "{:?}", seen.notices);
    assert_eq!((seen.activities.len(), seen.notices.len()), (8, 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_of_everything_for_a_while_have_the_effect_of_one() {
    let world = World::new().await;
    // Both believe to own all: they pass for one process, which no two real ones do, and what they write is fenced.
    let same = Member::new("same");
    let first = world.start(same.clone(), &StageName::ALL);
    let second = world.as_another_process().await.start(same, &StageName::ALL);
    for count in 0..60 {
        for n in 0..4 {
            world.measure(n, count * 1_000, if count % 20 < 10 { 90.0 } else { 20.0 }).await;
        }
    }
    let returned =
        || async { world.seen().await.alarms.values().filter(|alarm| alarm.contains(&"returned")).count() == 24 };
    until(60, "three alarms of each device and asset have returned", returned).await;
    until(20, "every alarm has its work order", || async { world.seen().await.notices.len() == 24 }).await;
    first.stop().await;
    second.stop().await;
    let seen = world.seen().await;
    assert!(seen.alarms.values().all(|events| events.starts_with(&["raised", "returned"])), "{:?}", seen.alarms);
    assert!((0..4).all(|n| seen.readings[&device(n).0].len() == 60 && seen.values[&asset(n)].len() == 60));
    assert_eq!((seen.alarms.len(), seen.activities.len()), (24, 24));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_live_process_of_one_name_is_refused_in_one_line() {
    let world = World::new().await;
    let first = world.start("twin", &StageName::ALL);
    until(10, "the first is a member", || async {
        eventlog::members::list(&world.log).await.is_ok_and(|members| members.contains_key("twin"))
    })
    .await;
    let second = world.as_another_process().await.start("twin", &StageName::ALL);
    let refused = second.task.await.unwrap().unwrap_err();
    let reason = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains("twin") && reason.contains("ARGUSIQ_INSTANCE"), "{refused}: {reason}");
    first.stop().await;
}
