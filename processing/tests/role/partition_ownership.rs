//! Several processes that share the partitions.

use eventlog::{Member, Stream};
use processing::StageName;

use crate::test_platform::{TestPlatform, asset, device, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_of_a_dead_process_move_to_another_and_nothing_happens_twice() {
    let platform = TestPlatform::new().await;
    let (one, two) = (platform.start("one", &StageName::ALL), platform.start("two", &StageName::ALL));
    for n in 0..4 {
        platform.measure(n, 0, 90.0).await;
    }
    until(30, "four devices and four assets have work orders", || async {
        platform.last(Stream::ActivitiesCreated).await >= 8
    })
    .await;
    one.kill().await;
    for n in 0..4 {
        platform.measure(n, 1_000, 20.0).await;
    }
    let returned =
        || async { platform.observed().await.alarms.values().filter(|alarm| alarm.contains(&"returned")).count() == 8 };
    until(30, "all alarms have returned", returned).await;
    two.stop().await;
    let observed = platform.observed().await;
    assert_eq!(observed.alarms.len(), 8);
    assert!(
        (0..4).all(|n| observed.readings[&device(n).0].len() == 2 && observed.values[&asset(n)].len() == 2),
        "{observed:?}"
    );
    assert!(observed.notices.values().all(|count| *count == 1), "{:?}", observed.notices);
    assert_eq!((observed.activities.len(), observed.notices.len()), (8, 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_concurrent_owners_of_all_partitions_have_the_effect_of_one() {
    let platform = TestPlatform::new().await;
    // Both share one member identity, which real processes never do, so each believes that it owns everything. Fencing
    // stops the one that is behind.
    let same = Member::new("same");
    let first = platform.start(same.clone(), &StageName::ALL);
    let second = platform.as_another_process().await.start(same, &StageName::ALL);
    for count in 0..60 {
        for n in 0..4 {
            platform.measure(n, count * 1_000, if count % 20 < 10 { 90.0 } else { 20.0 }).await;
        }
    }
    let returned = || async {
        platform.observed().await.alarms.values().filter(|alarm| alarm.contains(&"returned")).count() == 24
    };
    until(60, "three alarms of each device and asset have returned", returned).await;
    until(20, "every alarm has its work order", || async { platform.observed().await.notices.len() == 24 }).await;
    first.stop().await;
    second.stop().await;
    let observed = platform.observed().await;
    assert!(
        observed.alarms.values().all(|events| events.starts_with(&["raised", "returned"])),
        "{:?}",
        observed.alarms
    );
    assert!((0..4).all(|n| observed.readings[&device(n).0].len() == 60 && observed.values[&asset(n)].len() == 60));
    assert_eq!((observed.alarms.len(), observed.activities.len()), (24, 24));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_live_process_with_the_same_name_is_refused() {
    let platform = TestPlatform::new().await;
    let first = platform.start("twin", &StageName::ALL);
    until(10, "the first is a member", || async {
        eventlog::members::list(&platform.log).await.is_ok_and(|members| members.contains_key("twin"))
    })
    .await;
    let second = platform.as_another_process().await.start("twin", &StageName::ALL);
    let refused = second.task.await.unwrap().unwrap_err();
    let reason = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains("twin") && reason.contains("ARGUSIQ_INSTANCE"), "{refused}: {reason}");
    first.stop().await;
}
