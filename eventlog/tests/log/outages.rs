//! The server is killed repeatedly without warning: whatever was acknowledged is stored exactly once, and readers
//! resume without loss or duplicates.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eventlog::{Lane, LaneSettings, Log, Positions, Source, Stream, follow, run};
use futures_util::TryStreamExt;
use tokio_util::sync::CancellationToken;

use crate::packing_lanes::pack;
use crate::support::{self, Record, Server, quick, recorder};

const OUTAGES: usize = 4;

/// Pushes items until `stop` is cancelled, and returns how many.
async fn load(lane: Lane<u32>, stop: CancellationToken) -> u32 {
    let mut pushed = 0;
    while !stop.is_cancelled() {
        lane.push(pushed, 100).await.unwrap();
        pushed += 1;
        if pushed % 20 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    lane.close().await;
    pushed
}

async fn kill_and_restart(server: &mut Server, log: &Log, rounds: usize) {
    for round in 0..rounds {
        // A fixed wait, not a condition: the load runs for a while, so that every kill hits different packs in flight.
        tokio::time::sleep(Duration::from_millis(400 + 137 * round as u64)).await;
        server.kill().await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.restart().await;
        support::until(20, "JetStream answers again", || async { log.ping().await.is_ok() }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_is_stored_exactly_once_and_read_exactly_once() {
    let mut server = Server::start().await;
    let log = server.log("k").await;
    let (acknowledged, refused) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (good, bad) = (acknowledged.clone(), refused.clone());
    let lane =
        Lane::start(
            &log,
            Stream::TelemetryRaw,
            "0",
            LaneSettings::default(),
            pack,
            move |items, stored| match stored {
                Ok(sequence) => good.lock().unwrap().extend(items.into_iter().map(|item| (item, sequence))),
                Err(_) => bad.lock().unwrap().extend(items),
            },
        );
    let shutdown = CancellationToken::new();
    let (record, followed) = (Record::default(), Arc::new(Mutex::new(Vec::new())));
    let consumer = recorder(vec![Source::all(Stream::TelemetryRaw)], &record);
    let running = tokio::spawn({
        let (log, shutdown) = (log.clone(), shutdown.clone());
        async move { run(&log, consumer, quick(), shutdown).await }
    });
    let into = followed.clone();
    let fold = move |message: &eventlog::Message| into.lock().unwrap().push(message.sequence);
    let all = vec![Source::all(Stream::TelemetryRaw)];
    let follower = follow(&log, all, Positions::new(), fold, shutdown.clone()).await;

    let stop = CancellationToken::new();
    let loading = tokio::spawn(load(lane, stop.clone()));
    kill_and_restart(&mut server, &log, OUTAGES).await;
    stop.cancel();
    let pushed = loading.await.unwrap();

    let last = log.last_sequence(Stream::TelemetryRaw).await.unwrap();
    let stored = log.read_subject(Stream::TelemetryRaw, "0", 1).await.unwrap();
    let mut times: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for message in &stored {
        for item in serde_json::from_slice::<Vec<u32>>(&message.payload).unwrap() {
            times.entry(item).or_default().push(message.sequence);
        }
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    let refused = refused.lock().unwrap().clone();
    assert_eq!(acknowledged.len() + refused.len(), pushed as usize, "an item did not get exactly one outcome");
    assert!(acknowledged.len() > 1000, "only {} acknowledged", acknowledged.len());
    for (item, sequence) in &acknowledged {
        assert_eq!(times.get(item), Some(&vec![*sequence]), "item {item}");
    }

    support::until(20, "the consumer has read everything", || async { record.count() >= last as usize }).await;
    follower.caught_up(Duration::from_secs(20)).await.unwrap();
    shutdown.cancel();
    running.await.unwrap().unwrap();
    let every: Vec<u64> = (1..=last).collect();
    assert_eq!(record.sequences(Stream::TelemetryRaw), every);
    assert_eq!(*followed.lock().unwrap(), every);
}

#[tokio::test]
async fn a_connection_is_established_once_the_server_starts() {
    let mut server = Server::start().await;
    server.kill().await;
    let settings = support::settings(&server.url(), "");
    let connecting = tokio::spawn(Log::connect(settings));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!connecting.is_finished());
    server.restart().await;
    let log = connecting.await.unwrap().unwrap();
    support::until(10, "the log is ready", || async { log.ping().await.is_ok() }).await;
    server.kill().await;
    support::until(10, "the log is disconnected", || async { !log.is_connected() }).await;
    assert!(matches!(log.ping().await, Err(eventlog::connection::Error::Disconnected(_))));
}

#[tokio::test]
async fn a_consumer_deleted_on_the_server_is_recreated_and_none_leaks() {
    let log = support::log().await;
    let client = async_nats::connect(log.settings().url.as_str()).await.unwrap();
    let name = log.settings().stream_name(Stream::Presence);
    let stream = async_nats::jetstream::new(client).get_stream(name).await.unwrap();
    let consumers = || async { stream.consumer_names().try_collect::<Vec<_>>().await.unwrap() };
    let (record, shutdown) = (Record::default(), CancellationToken::new());
    let consumer = recorder(vec![Source::all(Stream::Presence)], &record);
    let running = tokio::spawn({
        let (log, shutdown) = (log.clone(), shutdown.clone());
        async move { run(&log, consumer, quick(), shutdown).await }
    });
    for round in 1..=3 {
        support::publish(&log, Stream::Presence, "0", 50).await;
        support::until(10, "everything is read", || async { record.count() == round * 50 }).await;
        for name in consumers().await {
            stream.delete_consumer(&name).await.unwrap();
        }
    }
    assert_eq!(record.sequences(Stream::Presence), (1..=150).collect::<Vec<_>>());
    support::until(10, "the consumer is recreated", || async { !consumers().await.is_empty() }).await;
    shutdown.cancel();
    running.await.unwrap().unwrap();
    support::until(10, "no consumer is left", || async { consumers().await.is_empty() }).await;
}
