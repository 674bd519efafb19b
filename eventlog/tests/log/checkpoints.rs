//! Checkpoints that do not match their stream stop the reader, each with a specific error.

use eventlog::consumer::Error;
use eventlog::{Log, Position, Positions, Source, Stream, run, run_until};
use tokio_util::sync::CancellationToken;

use crate::support::{self, Record, quick, recorder};

async fn read_from(log: &Log, stream: Stream, position: Position) -> Error {
    let record = Record::default();
    let mut positions = Positions::new();
    positions.set(stream, position);
    record.set(positions);
    let ended = run(log, recorder(vec![Source::all(stream)], &record), quick(), CancellationToken::new()).await;
    assert_eq!(record.count(), 0);
    ended.unwrap_err()
}

#[tokio::test]
async fn a_reader_behind_a_trimmed_stream_stops() {
    let log = support::log().await;
    support::publish(&log, Stream::TelemetryRaw, "0", 10).await;
    log.trim(Stream::TelemetryRaw, 6).await.unwrap();
    let error = read_from(&log, Stream::TelemetryRaw, Position::at(4)).await;
    assert!(matches!(error, Error::Trimmed { first: 6, next: 5, .. }), "{error:?}");
}

#[tokio::test]
async fn a_reader_that_had_read_the_trimmed_messages_continues() {
    let log = support::log().await;
    support::publish(&log, Stream::TelemetryRaw, "0", 10).await;
    log.trim(Stream::TelemetryRaw, 6).await.unwrap();
    let record = Record::default();
    record.set(Positions::at([(Stream::TelemetryRaw, 5)]));
    let targets = Positions::at([(Stream::TelemetryRaw, 10)]);
    let all = vec![Source::all(Stream::TelemetryRaw)];
    run_until(&log, recorder(all, &record), quick(), targets, CancellationToken::new()).await.unwrap();
    assert_eq!(record.sequences(Stream::TelemetryRaw), [6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn a_reader_without_a_checkpoint_starts_at_the_first_stored_message() {
    let log = support::log().await;
    support::publish(&log, Stream::TelemetryRaw, "0", 10).await;
    log.trim(Stream::TelemetryRaw, 9).await.unwrap();
    let record = Record::default();
    let targets = Positions::at([(Stream::TelemetryRaw, 10)]);
    let all = vec![Source::all(Stream::TelemetryRaw)];
    run_until(&log, recorder(all, &record), quick(), targets, CancellationToken::new()).await.unwrap();
    assert_eq!(record.sequences(Stream::TelemetryRaw), [9, 10]);
}

#[tokio::test]
async fn trimming_unread_messages_stops_a_running_reader() {
    let log = support::log().await;
    let record = Record::default();
    let last = support::publish(&log, Stream::TelemetryRaw, "0", 3000).await;
    let (blocked, trimmed) = (std::sync::Arc::new(tokio::sync::Semaphore::new(0)), log.clone());
    let gate = blocked.clone();
    let gated = Gated { inner: recorder(vec![Source::all(Stream::TelemetryRaw)], &record), gate };
    let running = tokio::spawn(async move { run(&trimmed, gated, quick(), CancellationToken::new()).await });
    // The reader holds the messages it pulled and waits for the first batch to be handled.
    support::until(10, "the reader has pulled", || async { record.count() > 0 }).await;
    log.trim(Stream::TelemetryRaw, last).await.unwrap();
    blocked.add_permits(1_000_000);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), running).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Error::Trimmed { .. })), "{ended:?}");
}

/// Handles the first batch immediately and later ones once the gate is open.
struct Gated<C> {
    inner: C,
    gate: std::sync::Arc<tokio::sync::Semaphore>,
}

impl<C: eventlog::Consumer> eventlog::Consumer for Gated<C> {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn sources(&self) -> Vec<Source> {
        self.inner.sources()
    }
    async fn resume(&mut self) -> Result<Positions, eventlog::Cause> {
        self.inner.resume().await
    }
    async fn handle(&mut self, batch: &eventlog::Batch) -> eventlog::Outcome {
        let outcome = self.inner.handle(batch).await;
        self.gate.acquire().await.unwrap().forget();
        outcome
    }
}

#[tokio::test]
async fn a_checkpoint_of_another_stream_of_the_same_name_is_refused() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 3).await;
    let incarnation = Some("2020-01-01T00:00:00Z".parse().unwrap());
    let error = read_from(&log, Stream::Presence, Position { sequence: 2, incarnation, hash: None }).await;
    assert!(matches!(error, Error::OtherStream { stream: Stream::Presence, .. }), "{error:?}");
}

#[tokio::test]
async fn a_checkpoint_whose_message_was_rewritten_is_refused() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 3).await;
    let hash = Some(eventlog::position::fingerprint(b"something else"));
    let error = read_from(&log, Stream::Presence, Position { sequence: 2, incarnation: None, hash }).await;
    assert!(matches!(error, Error::OtherHistory { sequence: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn a_checkpoint_ahead_of_the_stream_is_refused() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 3).await;
    let error = read_from(&log, Stream::Presence, Position::at(4)).await;
    assert!(matches!(error, Error::Ahead { sequence: 4, last: 3, .. }), "{error:?}");
}
