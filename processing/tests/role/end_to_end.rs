//! One reading through all stages.

use domain::telemetry::{CLOCK_SOURCE, NormalizedPack, Transition, decode_pack};
use eventlog::{Log, PARTITIONS, Stream};
use processing::StageName;

use crate::observed::messages;
use crate::test_platform::{TestPlatform, asset, at, device, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_becomes_values_health_an_alarm_and_a_work_order() {
    let platform = TestPlatform::new().await;
    let role = platform.start("a", &StageName::ALL);
    platform.measure(1, 0, 20.0).await;
    platform.measure(1, 1_000, 90.0).await;
    platform.measure(1, 2_000, 30.0).await;
    until(20, "both alarms have returned", || async {
        platform.observed().await.alarms.values().filter(|alarm| alarm.len() == 2).count() == 2
    })
    .await;
    until(20, "both work orders are noticed", || async { platform.last(Stream::ActivitiesCreated).await == 2 }).await;
    let observed = platform.observed().await;
    let temperatures = vec![
        (at(0).timestamp_millis(), 20.0),
        (at(1_000).timestamp_millis(), 90.0),
        (at(2_000).timestamp_millis(), 30.0),
    ];
    assert_eq!(observed.readings, [(device(1).0, temperatures.clone())].into());
    assert_eq!(observed.values, [(asset(1), temperatures)].into());
    assert_eq!(observed.health, [(asset(1), vec![100, 20, 100])].into());
    let both = vec![Transition::ThresholdBreach, Transition::ReturnToNormal];
    assert_eq!(observed.events, [(device(1).0, both.clone()), (asset(1), both)].into());
    assert!(observed.alarms.values().all(|alarm| *alarm == ["raised", "returned"]), "{observed:?}");
    assert_eq!((observed.activities.len(), observed.activities.clone()), (2, observed.notices));
    let ticks = || async {
        let all = messages(&platform.log, Stream::TelemetryNormalized).await;
        all.into_iter().filter(|message| message.subject.ends_with(CLOCK_SOURCE)).collect::<Vec<_>>()
    };
    until(5, "the clock ticks in every partition", || async { ticks().await.len() >= usize::from(PARTITIONS) }).await;
    let tick: NormalizedPack = decode_pack(&ticks().await[0].payload).unwrap();
    assert_eq!((tick.tick.unwrap().at, tick.es_position), (at(0), platform.last(Stream::Es).await));
    role.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_role_resumes_where_it_was() {
    let platform = TestPlatform::new().await;
    let role = platform.start("a", &StageName::ALL);
    platform.measure(1, 0, 90.0).await;
    until(20, "the work orders are noticed", || async { platform.last(Stream::ActivitiesCreated).await == 2 }).await;
    role.stop().await;
    let (normalized, alarms) = (packs(&platform.log).await, platform.last(Stream::EsAlarm).await);
    let role = platform.start("b", &StageName::ALL);
    platform.measure(1, 1_000, 95.0).await;
    until(20, "the health is scored", || async {
        platform.observed().await.health.get(&asset(1)).is_some_and(|scores| scores.len() == 2)
    })
    .await;
    role.stop().await;
    assert_eq!(packs(&platform.log).await, normalized + 1, "something was normalised again");
    assert_eq!(platform.last(Stream::EsAlarm).await, alarms, "the alarms changed");
}

/// Counts the packs of readings, without the clock's.
async fn packs(log: &Log) -> usize {
    let all = messages(log, Stream::TelemetryNormalized).await;
    all.iter().filter(|message| !message.subject.ends_with(CLOCK_SOURCE)).count()
}
