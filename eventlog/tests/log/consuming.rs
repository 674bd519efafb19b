//! The consume loop on a healthy server: batches, order, retries, dead letters, stopping.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use eventlog::consumer::Error;
use eventlog::{
    Batch, ConsumeSettings, Headers, Outcome, Positions, Publisher, PublisherSettings, Rejection, Source, Stream, run,
    run_until,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::{self, Record, Recorder, quick, recorder};

#[tokio::test]
async fn a_consumer_resumes_from_its_checkpoint() {
    let log = support::log().await;
    let record = Record::default();
    let sources = || vec![Source::all(Stream::Presence), Source::all(Stream::Es)];
    for round in 1..=3 {
        support::publish(&log, Stream::Presence, "0", 20).await;
        support::publish(&log, Stream::Es, "acme.device.7", 10).await;
        let targets = Positions::at([(Stream::Presence, round * 20), (Stream::Es, round * 10)]);
        run_until(&log, recorder(sources(), &record), quick(), targets, CancellationToken::new()).await.unwrap();
        assert_eq!(record.sequences(Stream::Presence), (1..=round * 20).collect::<Vec<_>>());
        assert_eq!(record.sequences(Stream::Es), (1..=round * 10).collect::<Vec<_>>());
    }
    let checkpoint = record.positions();
    let state = log.state(Stream::Es).await.unwrap();
    let position = checkpoint.get(Stream::Es).unwrap();
    assert_eq!((position.sequence, position.incarnation), (30, Some(state.incarnation)));
    assert!(position.hash.is_some());
}

#[tokio::test]
async fn batches_respect_the_limits_of_count_and_bytes() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 30).await;
    let record = Record::default();
    let few = ConsumeSettings { max_messages: 7, ..quick() };
    let targets = Positions::at([(Stream::Presence, 30)]);
    let all = || vec![Source::all(Stream::Presence)];
    run_until(&log, recorder(all(), &record), few, targets.clone(), CancellationToken::new()).await.unwrap();
    assert!(record.batches.lock().unwrap().iter().all(|messages| *messages <= 7));

    let publisher = Publisher::new(&log, PublisherSettings::default());
    let large = Bytes::from(vec![b'x'; 10_000]);
    for _ in 0..6 {
        publisher.publish(Stream::Presence, "0", Headers::new(), large.clone()).await.unwrap();
    }
    record.batches.lock().unwrap().clear();
    let small = ConsumeSettings { max_bytes: 25_000, linger: Duration::from_millis(200), ..quick() };
    let targets = Positions::at([(Stream::Presence, 36)]);
    run_until(&log, recorder(all(), &record), small, targets, CancellationToken::new()).await.unwrap();
    assert_eq!(*record.batches.lock().unwrap(), [2, 2, 2]);
}

#[tokio::test]
async fn a_retry_delivers_exactly_the_same_batch() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 10).await;
    let record = Record::default();
    let tries = Arc::new(Mutex::new(Vec::<(Vec<u64>, Positions)>::new()));
    let seen = tries.clone();
    let decide = move |batch: &Batch| {
        let mut tries = seen.lock().unwrap();
        tries.push((batch.messages.iter().map(|m| m.sequence).collect(), batch.positions.clone()));
        (tries.len() <= 3).then(|| Outcome::Retry("the database is away".into()))
    };
    let consumer = Recorder { sources: vec![Source::all(Stream::Presence)], record: record.clone(), decide };
    let targets = Positions::at([(Stream::Presence, 10)]);
    run_until(&log, consumer, quick(), targets, CancellationToken::new()).await.unwrap();
    let tries = tries.lock().unwrap();
    assert!(tries[..4].windows(2).all(|pair| pair[0] == pair[1]), "{tries:?}");
    assert_eq!(record.sequences(Stream::Presence), (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn rejected_messages_become_dead_letters_and_the_others_are_handled() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 6).await;
    let record = Record::default();
    let decide = |batch: &Batch| {
        let odd = batch.messages.iter().filter(|message| message.payload.as_ref() == b"3");
        let rejections: Vec<_> = odd
            .map(|m| Rejection { stream: m.stream, sequence: m.sequence, reason: "three is no presence".into() })
            .collect();
        (!rejections.is_empty()).then_some(Outcome::Reject(rejections))
    };
    let consumer = Recorder { sources: vec![Source::all(Stream::Presence)], record: record.clone(), decide };
    let targets = Positions::at([(Stream::Presence, 6)]);
    run_until(&log, consumer, quick(), targets, CancellationToken::new()).await.unwrap();
    assert_eq!(record.sequences(Stream::Presence), [1, 2, 3, 5, 6]);
    let letter = log.last_message(Stream::TelemetryDlq, "recorder").await.unwrap().unwrap();
    assert_eq!(letter.header("Argusiq-Rejected"), Some("PRESENCE/4"));
    let letter: serde_json::Value = serde_json::from_slice(&letter.payload).unwrap();
    assert_eq!(letter["reason"], "three is no presence");
    assert_eq!(letter["stage"], "recorder");
    assert_eq!((&letter["subject"], &letter["sequence"]), (&"presence.v1.0".into(), &4.into()));
    assert_eq!((&letter["payload_encoding"], &letter["payload"]), (&"text".into(), &"3".into()));
}

#[tokio::test]
async fn rejecting_a_message_outside_the_batch_ends_the_loop() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 1).await;
    let decide =
        |_: &Batch| Some(Outcome::Reject(vec![Rejection { stream: Stream::Es, sequence: 9, reason: "lost".into() }]));
    let consumer = Recorder { sources: vec![Source::all(Stream::Presence)], record: Record::default(), decide };
    let ended = run(&log, consumer, quick(), CancellationToken::new()).await;
    assert!(matches!(ended, Err(Error::ForeignRejection { .. })), "{ended:?}");
}

#[tokio::test]
async fn a_consumer_that_is_fenced_stops() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 1).await;
    let decide = |_: &Batch| Some(Outcome::Stop("somebody else moved the checkpoint".into()));
    let consumer = Recorder { sources: vec![Source::all(Stream::Presence)], record: Record::default(), decide };
    let ended = run(&log, consumer, quick(), CancellationToken::new()).await;
    assert_eq!(ended.unwrap_err().to_string(), "recorder stops: somebody else moved the checkpoint");
}

#[tokio::test]
async fn shutdown_finishes_the_current_batch() {
    struct Slow {
        record: Record,
        started: Arc<Notify>,
        finish: Arc<Notify>,
    }
    impl eventlog::Consumer for Slow {
        fn name(&self) -> &str {
            "slow"
        }
        fn sources(&self) -> Vec<Source> {
            vec![Source::all(Stream::Presence)]
        }
        async fn resume(&mut self) -> Result<Positions, eventlog::Cause> {
            Ok(Positions::new())
        }
        async fn handle(&mut self, batch: &Batch) -> Outcome {
            self.started.notify_one();
            self.finish.notified().await;
            self.record.set(batch.positions.clone());
            Outcome::Done
        }
    }
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 5).await;
    let (record, started, finish) = (Record::default(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let consumer = Slow { record: record.clone(), started: started.clone(), finish: finish.clone() };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (log, shutdown) = (log.clone(), shutdown.clone());
        async move { run(&log, consumer, quick(), shutdown).await }
    });
    started.notified().await;
    shutdown.cancel();
    tokio::task::yield_now().await;
    assert!(!running.is_finished(), "the loop ended in the middle of a batch");
    finish.notify_one();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().unwrap();
    assert!(record.positions().sequence(Stream::Presence) > 0);
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_retry_to_succeed() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "0", 1).await;
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let decide = move |_: &Batch| {
        counted.fetch_add(1, Ordering::SeqCst);
        Some(Outcome::Retry("never".into()))
    };
    let record = Record::default();
    let consumer = Recorder { sources: vec![Source::all(Stream::Presence)], record: record.clone(), decide };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (log, shutdown) = (log.clone(), shutdown.clone());
        async move { run(&log, consumer, quick(), shutdown).await }
    });
    support::until(5, "it was tried", || async { tries.load(Ordering::SeqCst) >= 2 }).await;
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().unwrap();
    assert_eq!(record.positions(), Positions::new());
}

#[tokio::test]
async fn a_filtered_source_reads_matching_messages_and_its_position_follows_the_stream() {
    let log = support::log().await;
    support::publish(&log, Stream::Presence, "3", 4).await;
    support::publish(&log, Stream::Presence, "5", 6).await;
    let record = Record::default();
    let targets = Positions::at([(Stream::Presence, 10)]);
    let third = vec![Source::filtered(Stream::Presence, ["3"])];
    run_until(&log, recorder(third, &record), quick(), targets, CancellationToken::new()).await.unwrap();
    assert_eq!(record.sequences(Stream::Presence), [1, 2, 3, 4]);
    assert_eq!(record.positions().sequence(Stream::Presence), 10);
}

#[tokio::test]
async fn two_sources_of_one_stream_are_refused() {
    let log = support::log().await;
    let twice = vec![Source::all(Stream::Es), Source::filtered(Stream::Es, ["acme.>"])];
    let ended = run(&log, recorder(twice, &Record::default()), quick(), CancellationToken::new()).await;
    assert!(matches!(ended, Err(Error::DuplicateSource(Stream::Es))), "{ended:?}");
}
