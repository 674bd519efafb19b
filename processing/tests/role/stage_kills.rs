//! Kills one stage after another while readings arrive.

use std::collections::BTreeMap;

use eventlog::Stream;
use processing::StageName;

use crate::observed::Observed;
use crate::test_platform::{Role, TestPlatform, asset, at, device, until};

/// The stream that each stage writes to; a stage is killed after its stream has grown.
const OUTPUT: [(StageName, Stream); 5] = [
    (StageName::Normalizer, Stream::TelemetryNormalized),
    (StageName::AssetProcessor, Stream::TelemetryAsset),
    (StageName::AssetCombiner, Stream::TelemetryAsset),
    (StageName::RuleEvaluator, Stream::EsAlarm),
    (StageName::ActivityCreator, Stream::EsActivity),
];
/// Readings of each device.
const READINGS: i64 = 240;

/// Hot for twenty readings, then cool for twenty, shifted against the other devices.
fn temperature(n: u128, count: i64) -> f64 {
    if (count + 7 * n as i64) % 40 < 20 { 90.0 } else { 20.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_any_stage_at_any_time_loses_and_duplicates_nothing() {
    let platform = TestPlatform::new().await;
    let start = |stage: StageName| platform.start(stage.as_str(), &[stage]);
    let mut roles: BTreeMap<StageName, Role> = OUTPUT.iter().map(|(stage, _)| (*stage, start(*stage))).collect();
    let mut kills = 0;
    for count in 0..READINGS {
        for n in 0..4 {
            platform.measure(n, count * 1_000, temperature(n, count)).await;
        }
        if count % 10 == 9 {
            let (stage, output) = OUTPUT[kills % OUTPUT.len()];
            if !matches!(output, Stream::EsAlarm | Stream::EsActivity) || kills % 10 > 5 {
                let from = platform.last(output).await;
                for n in 0..4 {
                    platform.measure(n, count * 1_000 + 500, temperature(n, count)).await;
                }
                // Kill the stage while it writes. The wait times out where these readings cause no output.
                let _ = tokio::time::timeout(
                    std::time::Duration::from_millis(300),
                    until(5, "", || async { platform.last(output).await > from }),
                )
                .await;
            }
            roles.remove(&stage).unwrap().kill().await;
            roles.insert(stage, start(stage));
            kills += 1;
        }
    }
    assert!(kills >= 20);
    let expected = settled(&platform).await;
    for role in roles.into_values() {
        role.stop().await;
    }
    let observed = platform.observed().await;
    for n in 0..4 {
        let times: Vec<_> = observed.readings[&device(n).0].iter().map(|(time, _)| *time).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "device {n} has a reading twice");
        let sent = (0..READINGS).map(|count| at(count * 1_000).timestamp_millis());
        assert!(sent.clone().all(|time| times.contains(&time)), "device {n} lost a reading");
        assert_eq!(observed.values[&asset(n)], observed.readings[&device(n).0]);
        let breaches = breaches(&observed.readings[&device(n).0]);
        let of_device = observed.events[&device(n).0].len();
        assert_eq!(of_device, breaches, "transitions of device {n}");
    }
    assert!(
        observed.alarms.values().all(|events| ["raised", "returned", "superseded"].starts_with(events)),
        "{:?}",
        observed.alarms
    );
    assert!(observed.activities.values().chain(observed.notices.values()).all(|count| *count == 1));
    assert_eq!(observed.activities.keys().collect::<Vec<_>>(), observed.notices.keys().collect::<Vec<_>>());
    assert_eq!(observed.activities.len(), observed.alarms.len(), "each alarm has one work order");
    assert_eq!(expected, observed, "output changed after everything had settled");
}

/// Counts how often the temperatures cross 80.
fn breaches(readings: &[(i64, f64)]) -> usize {
    let hot = readings.iter().map(|(_, value)| *value > 80.0);
    let mut before = false;
    hot.filter(|hot| std::mem::replace(&mut before, *hot) != *hot).count()
}

/// Waits until all readings are processed and every alarm has its work order.
async fn settled(platform: &TestPlatform) -> Observed {
    let last = at((READINGS - 1) * 1_000).timestamp_millis();
    let done = |observed: &Observed| {
        let is_processed =
            |times: Option<&Vec<(i64, f64)>>| times.is_some_and(|times| times.iter().any(|(time, _)| *time >= last));
        let transitions = |n| observed.events.get(&device(n).0).map_or(0, Vec::len);
        (0..4).all(|n| {
            is_processed(observed.readings.get(&device(n).0))
                && is_processed(observed.values.get(&asset(n)))
                && observed.readings.get(&device(n).0).is_some_and(|readings| breaches(readings) == transitions(n))
                && observed.events.get(&asset(n)).map_or(0, Vec::len) == transitions(n)
        }) && observed.activities.len() == observed.alarms.len()
            && observed.notices.len() == observed.activities.len()
    };
    until(60, "everything is processed", || async { done(&platform.observed().await) }).await;
    platform.observed().await
}
