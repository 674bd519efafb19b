//! For every read model, a rebuild equals the live one and reports any difference. Data that cannot be rebuilt is not
//! lost unless that is accepted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../projections/tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::{sample, world};
use eventlog::Stream;
use projections::{Config, registry};
use replay::{Error, Options, Phase, Progress};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_rebuild_equals_the_live_read_model() {
    let world = world().await;
    sample::store(&world).await;
    world.catch_up_all().await;
    let mut told: Vec<Progress> = Vec::new();
    let rebuilt =
        replay::run(&world.deps, None, Options::default(), |progress| told.push(progress), CancellationToken::new());
    let rebuilt = rebuilt.await.unwrap();
    assert_eq!(rebuilt.len(), registry::ALL.len());
    for one in &rebuilt {
        assert!(one.is_equal(), "{}: {:?}", one.name, one.differences());
        assert!(one.after.values().all(|digest| !digest.starts_with("0 ")), "{} is empty", one.name);
    }
    for entry in registry::ALL {
        let mut of_this = told.iter().filter(|progress| progress.name == entry.name);
        let last = of_this.rfind(|progress| progress.phase == Phase::Rebuilding).unwrap();
        assert_eq!(last.done, last.total, "{}", entry.name);
    }
}

#[tokio::test]
async fn a_difference_is_reported_and_repaired() {
    let world = world().await;
    sample::store(&world).await;
    world.catch_up(&["alarm_board"]).await;
    world.sql("UPDATE alarms SET severity = 'low'").await;
    let names = ["alarm_board".to_owned()];
    let run = async || {
        replay::run(&world.deps, Some(&names), Options::default(), |_| {}, CancellationToken::new()).await.unwrap()
    };
    let first = run().await;
    assert_eq!((first[0].is_equal(), first[0].differences()), (false, vec!["alarms"]));
    assert_eq!(world.sql("SELECT severity FROM alarms").await, ["high"]);
    assert!(run().await[0].is_equal());
}

#[tokio::test]
async fn running_processes_release_the_read_model_and_one_takes_over_again() {
    let world = world().await;
    sample::store(&world).await;
    let shutdown = CancellationToken::new();
    let config = Config { only: Some(vec!["device_directory".into(), "latest_telemetry".into()]) };
    let run = || tokio::spawn(projections::run(world.deps.clone(), config.clone(), shutdown.clone()));
    // One process runs them, three stand by.
    let roles = [run(), run(), run(), run()];
    let head = world.log.last_sequence(Stream::Es).await.unwrap();
    let patience = Duration::from_secs(20);
    world.reader.wait_for("device_directory", Stream::Es, head, patience).await.unwrap();
    let names = ["device_directory".to_owned(), "latest_telemetry".to_owned()];
    let rebuilt = replay::run(&world.deps, Some(&names), Options::default(), |_| {}, CancellationToken::new()).await;
    assert!(rebuilt.unwrap().iter().all(replay::Rebuilt::is_equal));
    let other = uuid::Uuid::from_u128(99);
    let at = world.event("device", other, 1, &sample::device_registered("After", "SN-9")).await;
    world.reader.wait_for("device_directory", Stream::Es, at, patience).await.unwrap();
    assert_eq!(world.sql("SELECT count(*) FROM devices").await, ["3"]);
    shutdown.cancel();
    for role in roles {
        role.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_trimmed_stream_is_rebuilt_only_if_accepted() {
    let world = world().await;
    sample::store(&world).await;
    world.catch_up(&["telemetry_history"]).await;
    world.log.trim(Stream::TelemetryNormalized, 2).await.unwrap();
    let names = ["telemetry_history".to_owned()];
    let run = |options| replay::run(&world.deps, Some(&names), options, |_| {}, CancellationToken::new());
    let refused = run(Options::default()).await;
    assert!(matches!(refused, Err(Error::Trimmed { stream: Stream::TelemetryNormalized, first: 2, .. })));
    let values = "SELECT count(*) FROM telemetry_history";
    assert_eq!(world.sql(values).await, ["6"]);
    let all = replay::run(&world.deps, None, Options::default(), |_| {}, CancellationToken::new()).await.unwrap();
    let kept: Vec<&str> = all.iter().filter(|one| one.kept.is_some()).map(|one| one.name.as_str()).collect();
    assert_eq!(kept, ["telemetry_history", "latest_telemetry"]);
    assert!(all.iter().filter(|one| one.kept.is_none()).all(|one| !one.after.is_empty()));
    assert_eq!(world.sql(values).await, ["6"]);
    let rebuilt = run(Options { accept_trimmed: true }).await.unwrap();
    assert!(!rebuilt[0].is_equal(), "what is gone from the log is gone");
    assert_eq!(world.sql(values).await, ["2"]);
}

#[tokio::test]
async fn an_interrupted_rebuild_returns_an_error() {
    let world = world().await;
    sample::store(&world).await;
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let names = ["alarm_board".to_owned()];
    let stopped = replay::run(&world.deps, Some(&names), Options::default(), |_| {}, shutdown).await;
    assert!(matches!(stopped, Err(Error::Interrupted(name)) if name == "alarm_board"));
}
