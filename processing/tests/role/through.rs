//! One reading's way through all stages.

use domain::telemetry::{CLOCK_SOURCE, NormalizedPack, Transition, decode_pack};
use eventlog::{Log, PARTITIONS, Stream};
use processing::StageName;

use crate::seen::messages;
use crate::world::{World, asset, at, device, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_becomes_values_health_an_alarm_and_a_work_order() {
    let world = World::new().await;
    let role = world.start("a", &StageName::ALL);
    world.measure(1, 0, 20.0).await;
    world.measure(1, 1_000, 90.0).await;
    world.measure(1, 2_000, 30.0).await;
    until(20, "both alarms have returned", || async {
        world.seen().await.alarms.values().filter(|alarm| alarm.len() == 2).count() == 2
    })
    .await;
    until(20, "both work orders are noticed", || async { world.last(Stream::ActivitiesCreated).await == 2 }).await;
    let seen = world.seen().await;
    let temperatures = vec![
        (at(0).timestamp_millis(), 20.0),
        (at(1_000).timestamp_millis(), 90.0),
        (at(2_000).timestamp_millis(), 30.0),
    ];
    assert_eq!(seen.readings, [(device(1).0, temperatures.clone())].into());
    assert_eq!(seen.values, [(asset(1), temperatures)].into());
    assert_eq!(seen.health, [(asset(1), vec![100, 20, 100])].into());
    let both = vec![Transition::ThresholdBreach, Transition::ReturnToNormal];
    assert_eq!(seen.events, [(device(1).0, both.clone()), (asset(1), both)].into());
    assert!(seen.alarms.values().all(|alarm| *alarm == ["raised", "returned"]), "{seen:?}");
    assert_eq!((seen.activities.len(), seen.activities.clone()), (2, seen.notices));
    let ticks = || async {
        let all = messages(&world.log, Stream::TelemetryNormalized).await;
        all.into_iter().filter(|message| message.subject.ends_with(CLOCK_SOURCE)).collect::<Vec<_>>()
    };
    until(5, "the clock ticks in every partition", || async { ticks().await.len() >= usize::from(PARTITIONS) }).await;
    let tick: NormalizedPack = decode_pack(&ticks().await[0].payload).unwrap();
    assert_eq!((tick.tick.unwrap().at, tick.es_position), (at(0), world.last(Stream::Es).await));
    role.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_was_stopped_goes_on_where_it_was() {
    let world = World::new().await;
    let role = world.start("a", &StageName::ALL);
    world.measure(1, 0, 90.0).await;
    until(20, "the work orders are noticed", || async { world.last(Stream::ActivitiesCreated).await == 2 }).await;
    role.stop().await;
    let (normalized, alarms) = (packs(&world.log).await, world.last(Stream::EsAlarm).await);
    let role = world.start("b", &StageName::ALL);
    world.measure(1, 1_000, 95.0).await;
    until(20, "the health is scored", || async {
        world.seen().await.health.get(&asset(1)).is_some_and(|scores| scores.len() == 2)
    })
    .await;
    role.stop().await;
    assert_eq!(packs(&world.log).await, normalized + 1, "nothing was normalised again");
    assert_eq!(world.last(Stream::EsAlarm).await, alarms, "the alarms stand");
}

/// How many packs of readings were written, those of the clock aside.
async fn packs(log: &Log) -> usize {
    let all = messages(log, Stream::TelemetryNormalized).await;
    all.iter().filter(|message| !message.subject.ends_with(CLOCK_SOURCE)).count()
}
