//! Ownership of projections: one fenced owner, others stand by. Unreadable messages go to the dead letters.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{ORGANIZATION, World, sample, world};
use domain::telemetry::encode_pack;
use eventlog::{Batch, Consumer, Message, Outcome, Positions, Stream};
use projections::device_directory::DeviceDirectory;
use projections::ownership::writer_options;
use projections::runner::Runner;
use projections::{Config, checkpoint};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const NAME: &str = "device_directory";
const DEVICE: Uuid = Uuid::from_u128(7);

async fn batch(world: &World, position: u64) -> Batch {
    let message: Message = world.log.get_message(Stream::Es, position).await.unwrap().unwrap();
    Batch { messages: vec![message], positions: Positions::at([(Stream::Es, position), (Stream::Presence, 0)]) }
}

async fn devices(world: &World) -> Vec<String> {
    world.sql("SELECT name FROM devices ORDER BY name").await
}

async fn position(world: &World) -> Vec<String> {
    world.sql("SELECT position FROM projection_checkpoint WHERE name = 'device_directory' AND stream = 'ES'").await
}

#[tokio::test]
async fn rows_and_checkpoint_move_together_or_not_at_all() {
    let world = world().await;
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let mut owner = world.owner(NAME).await;
    let mut directory = DeviceDirectory;
    let mut runner = Runner::new(&mut directory, &mut owner);
    assert_eq!(runner.resume().await.unwrap(), Positions::new());
    let batch = batch(&world, at).await;
    world.sql("ALTER TABLE device_connectivity RENAME TO elsewhere").await;
    world.sql("CREATE VIEW device_connectivity AS SELECT 1/0 AS device_id").await;
    world.sql("ALTER TABLE devices RENAME TO devices_elsewhere").await;
    assert!(matches!(runner.handle(&batch).await, Outcome::Retry(_)));
    assert_eq!(position(&world).await, ["0"]);
    world.sql("DROP VIEW device_connectivity").await;
    world.sql("ALTER TABLE elsewhere RENAME TO device_connectivity").await;
    world.sql("ALTER TABLE devices_elsewhere RENAME TO devices").await;
    assert!(matches!(runner.handle(&batch).await, Outcome::Done));
    assert_eq!(position(&world).await, ["1"]);
    assert_eq!(devices(&world).await, ["One"]);
}

#[tokio::test]
async fn an_owner_whose_checkpoint_was_moved_by_another_writes_nothing() {
    let world = world().await;
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let mut owner = world.owner(NAME).await;
    let mut directory = DeviceDirectory;
    let mut runner = Runner::new(&mut directory, &mut owner);
    runner.resume().await.unwrap();
    world.sql("UPDATE projection_checkpoint SET position = 5 WHERE stream = 'PRESENCE'").await;
    assert!(matches!(runner.handle(&batch(&world, at).await).await, Outcome::Stop(_)));
    assert!(devices(&world).await.is_empty());
}

#[tokio::test]
async fn an_owner_from_before_a_rebuild_writes_nothing() {
    let world = world().await;
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let mut owner = world.owner(NAME).await;
    let mut directory = DeviceDirectory;
    let mut runner = Runner::new(&mut directory, &mut owner);
    runner.resume().await.unwrap();
    let sources = runner.sources();
    let options = writer_options(&world.deps.database_url).unwrap();
    assert_eq!(checkpoint::fence(&options, NAME, &sources).await.unwrap(), 1);
    assert!(matches!(runner.handle(&batch(&world, at).await).await, Outcome::Stop(_)));
    assert!(devices(&world).await.is_empty());
}

#[tokio::test]
async fn a_standby_process_takes_over() {
    let world = world().await;
    let config = Config { only: Some(vec![NAME.into()]) };
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let one = tokio::spawn(projections::run(world.deps.clone(), config.clone(), first.clone()));
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let patience = Duration::from_secs(20);
    world.reader.wait_for(NAME, Stream::Es, at, patience).await.unwrap();
    let two = tokio::spawn(projections::run(world.deps.clone(), config, second.clone()));
    first.cancel();
    one.await.unwrap().unwrap();
    let other = Uuid::from_u128(8);
    let at = world.event("device", other, 1, &sample::device_registered("Two", "SN-2")).await;
    world.reader.wait_for(NAME, Stream::Es, at, patience).await.unwrap();
    assert_eq!(devices(&world).await, ["One", "Two"]);
    second.cancel();
    two.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_unreadable_event_becomes_a_dead_letter_and_later_events_are_applied() {
    let world = world().await;
    world.publish(Stream::Es, &format!("{ORGANIZATION}.device.{DEVICE}"), "not events").await;
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let shutdown = CancellationToken::new();
    let config = Config { only: Some(vec![NAME.into()]) };
    let role = tokio::spawn(projections::run(world.deps.clone(), config, shutdown.clone()));
    world.reader.wait_for(NAME, Stream::Es, at, Duration::from_secs(20)).await.unwrap();
    assert_eq!(devices(&world).await, ["One"]);
    let letter = world.log.get_message(Stream::TelemetryDlq, 1).await.unwrap().unwrap();
    assert_eq!(letter.subject, "telemetry.dlq.device_directory");
    shutdown.cancel();
    role.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_checkpoint_of_another_stream_stops_the_role() {
    let world = world().await;
    world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    world.catch_up(&[NAME]).await;
    world.sql("UPDATE projection_checkpoint SET position = 99 WHERE stream = 'ES'").await;
    let config = Config { only: Some(vec![NAME.into()]) };
    let stopped = projections::run(world.deps.clone(), config, CancellationToken::new()).await;
    assert!(matches!(stopped, Err(projections::Error::Log { name, .. }) if name == NAME));
}

#[tokio::test]
async fn an_unknown_read_model_is_refused() {
    let world = world().await;
    let config = Config { only: Some(vec!["nothing".into()]) };
    let refused = projections::run(world.deps.clone(), config, CancellationToken::new()).await;
    assert!(matches!(refused, Err(projections::Error::UnknownProjection(name)) if name == "nothing"));
}

#[tokio::test]
async fn waiting_for_a_position_that_is_not_reached_ends_at_the_deadline() {
    let world = world().await;
    let late = world.reader.wait_for(NAME, Stream::Es, 5, Duration::from_millis(50)).await;
    assert!(matches!(late, Err(projections::WaitError::Timeout { position: 0, wanted: 5, .. })));
}

#[tokio::test]
async fn a_pack_of_a_newer_version_is_retried_and_not_rejected() {
    let world = world().await;
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let mut owner = world.owner(NAME).await;
    let mut directory = DeviceDirectory;
    let mut runner = Runner::new(&mut directory, &mut owner);
    runner.resume().await.unwrap();
    let mut batch = batch(&world, at).await;
    let next = encode_pack(&()).unwrap()[0] + 1;
    let payload = vec![next, 0x90].into();
    let packed = Message { stream: Stream::TelemetryNormalized, payload, ..batch.messages[0].clone() };
    batch.messages.push(packed);
    let told = format!("version {next}");
    assert!(matches!(runner.handle(&batch).await, Outcome::Retry(cause) if cause.to_string().contains(&told)));
    assert_eq!(position(&world).await, ["0"]);
}

#[tokio::test]
async fn an_owner_whose_lock_was_terminated_by_the_database_writes_nothing() {
    let world = world().await;
    let at = world.event("device", DEVICE, 1, &sample::device_registered("One", "SN-1")).await;
    let mut owner = world.owner(NAME).await;
    let lost = owner.lost();
    world.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").await;
    tokio::time::timeout(Duration::from_secs(10), lost.cancelled()).await.expect("the loss is noticed");
    let mut directory = DeviceDirectory;
    let mut runner = Runner::new(&mut directory, &mut owner);
    assert!(runner.resume().await.is_err());
    assert!(!matches!(runner.handle(&batch(&world, at).await).await, Outcome::Done));
    assert!(devices(&world).await.is_empty());
}
