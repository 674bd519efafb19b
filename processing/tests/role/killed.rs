//! Stages killed one after another while readings flow.

use std::collections::BTreeMap;

use eventlog::Stream;
use processing::StageName;

use crate::seen::Seen;
use crate::world::{Role, World, asset, at, device, until};

/// What each stage writes to: it is killed when that has grown by a few messages.
const OUTPUT: [(StageName, Stream); 5] = [
    (StageName::Normalizer, Stream::TelemetryNormalized),
    (StageName::AssetProcessor, Stream::TelemetryAsset),
    (StageName::AssetCombiner, Stream::TelemetryAsset),
    (StageName::RuleEvaluator, Stream::EsAlarm),
    (StageName::ActivityCreator, Stream::EsActivity),
];
/// Readings of each device.
const READINGS: i64 = 240;

/// Hot for twenty readings, then cool for twenty, out of step with the others.
fn temperature(n: u128, count: i64) -> f64 {
    if (count + 7 * n as i64) % 40 < 20 { 90.0 } else { 20.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_stage_is_killed_and_whenever_nothing_is_lost_and_nothing_doubled() {
    let world = World::new().await;
    let start = |stage: StageName| world.start(stage.as_str(), &[stage]);
    let mut roles: BTreeMap<StageName, Role> = OUTPUT.iter().map(|(stage, _)| (*stage, start(*stage))).collect();
    let mut kills = 0;
    for count in 0..READINGS {
        for n in 0..4 {
            world.measure(n, count * 1_000, temperature(n, count)).await;
        }
        if count % 10 == 9 {
            let (stage, output) = OUTPUT[kills % OUTPUT.len()];
            if !matches!(output, Stream::EsAlarm | Stream::EsActivity) || kills % 10 > 5 {
                let from = world.last(output).await;
                for n in 0..4 {
                    world.measure(n, count * 1_000 + 500, temperature(n, count)).await;
                }
                // Far enough into what the stage writes of it, or not at all where nothing follows from it.
                let _ = tokio::time::timeout(
                    std::time::Duration::from_millis(300),
                    until(5, "", || async { world.last(output).await > from }),
                )
                .await;
            }
            roles.remove(&stage).unwrap().kill().await;
            roles.insert(stage, start(stage));
            kills += 1;
        }
    }
    assert!(kills >= 20);
    let expected = settled(&world).await;
    for role in roles.into_values() {
        role.stop().await;
    }
    let seen = world.seen().await;
    for n in 0..4 {
        let times: Vec<_> = seen.readings[&device(n).0].iter().map(|(time, _)| *time).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "device {n} has a reading twice");
        let sent = (0..READINGS).map(|count| at(count * 1_000).timestamp_millis());
        assert!(sent.clone().all(|time| times.contains(&time)), "device {n} lost a reading");
        assert_eq!(seen.values[&asset(n)], seen.readings[&device(n).0]);
        let breaches = breaches(&seen.readings[&device(n).0]);
        let of_device = seen.events[&device(n).0].len();
        assert_eq!(of_device, breaches, "transitions of device {n}");
    }
    assert!(
        seen.alarms.values().all(|events| ["raised", "returned", "superseded"].starts_with(events)),
        "{:?}",
        seen.alarms
    );
    assert!(seen.activities.values().chain(seen.notices.values()).all(|count| *count == 1));
    assert_eq!(seen.activities.keys().collect::<Vec<_>>(), seen.notices.keys().collect::<Vec<_>>());
    assert_eq!(seen.activities.len(), seen.alarms.len(), "one work order for each alarm");
    assert_eq!(expected, seen, "nothing came after all had settled");
}

/// How often the temperatures cross 80.
fn breaches(readings: &[(i64, f64)]) -> usize {
    let hot = readings.iter().map(|(_, value)| *value > 80.0);
    let mut before = false;
    hot.filter(|hot| std::mem::replace(&mut before, *hot) != *hot).count()
}

/// Waits until all readings are through and every alarm has its work order.
async fn settled(world: &World) -> Seen {
    let last = at((READINGS - 1) * 1_000).timestamp_millis();
    let done = |seen: &Seen| {
        let through =
            |times: Option<&Vec<(i64, f64)>>| times.is_some_and(|times| times.iter().any(|(time, _)| *time >= last));
        let transitions = |n| seen.events.get(&device(n).0).map_or(0, Vec::len);
        (0..4).all(|n| {
            through(seen.readings.get(&device(n).0))
                && through(seen.values.get(&asset(n)))
                && seen.readings.get(&device(n).0).is_some_and(|readings| breaches(readings) == transitions(n))
                && seen.events.get(&asset(n)).map_or(0, Vec::len) == transitions(n)
        }) && seen.activities.len() == seen.alarms.len()
            && seen.notices.len() == seen.activities.len()
    };
    until(60, "everything is through", || async { done(&world.seen().await) }).await;
    world.seen().await
}
