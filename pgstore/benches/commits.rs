//! Benchmark: commits per second of both journals with 1 and 16 writers on durable servers, where every commit is on
//! disk before it is answered. Run with `cargo bench -p pgstore`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use eventlog::store::{AggregateKey, Journal};
use eventlog::{Headers, Log, Publisher, PublisherSettings, Settings, Stream, StreamSizes};
use pgstore::PostgresJournal;
use stack::testing::{TestStack, sql};
use stack::{Durability, Options};

const TABLES: &str = include_str!("../../migrations/0031_event_store.sql");
const RUN_TIME: Duration = Duration::from_secs(5);
const APPEND_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let stack = TestStack::start(|options: Options| {
        let mut options = options;
        options.redis = false;
        options.durability = Durability::Durable;
        options
    });
    let stack = stack.await.unwrap();
    sql(&stack.urls().postgres, TABLES).await.unwrap();
    let log = Log::connect(Settings::new(&stack.urls().nats).with_sizes(StreamSizes::small())).await.unwrap();
    log.declare_streams().await.unwrap();
    let journal = PostgresJournal::new(&stack.urls().postgres, &log).unwrap();
    for writers in [1, 16] {
        let rate = postgres(&journal, writers).await;
        println!("postgres, {writers:>2} writers, nothing relayed: {rate:>7.0} commits/s");
    }
    let unrelayed = sql(&stack.urls().postgres, "SELECT max(position) FROM event_store").await.unwrap();
    let unrelayed: u64 = unrelayed[0].parse().unwrap();
    let (began, relay) = (Instant::now(), journal.relay());
    while log.last_sequence(Stream::Es).await.unwrap() < unrelayed {
        assert!(began.elapsed() < Duration::from_secs(120), "the relay makes no progress");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!(
        "relay, {unrelayed} pending:               {:>7.0} messages/s",
        unrelayed as f64 / began.elapsed().as_secs_f64()
    );
    for writers in [1, 16] {
        let rate = postgres(&journal, writers).await;
        println!("postgres, {writers:>2} writers, while relaying:  {rate:>7.0} commits/s");
    }
    drop(relay);
    for writers in [1, 16] {
        let rate = jetstream(&log, writers).await;
        println!("jetstream, {writers:>2} writers:                {rate:>7.0} commits/s");
    }
    stack.stop().await.unwrap();
}

/// Measures appends to the journal in PostgreSQL. Each writer appends to new aggregates, so that no append conflicts.
async fn postgres(journal: &Arc<PostgresJournal>, writers: usize) -> f64 {
    static ROUND: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let round = ROUND.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let began = Instant::now();
    let writers = (0..writers).map(|writer| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let mut count = 0_u64;
            while began.elapsed() < RUN_TIME {
                let key = AggregateKey::new("acme", "device", &format!("r{round}w{writer}n{count}")).unwrap();
                journal.append(&key, 0, vec![b'x'; 600].into(), APPEND_TIMEOUT).await.unwrap();
                count += 1;
            }
            count
        })
    });
    total(writers.collect(), began).await
}

async fn jetstream(log: &Log, writers: usize) -> f64 {
    let began = Instant::now();
    let writers = (0..writers).map(|writer| {
        let publisher = Publisher::new(log, PublisherSettings::default());
        tokio::spawn(async move {
            let mut count = 0_u64;
            while began.elapsed() < RUN_TIME {
                let tail = format!("acme.device.w{writer}n{count}");
                publisher.publish(Stream::Es, &tail, Headers::new(), vec![b'x'; 600].into()).await.unwrap();
                count += 1;
            }
            count
        })
    });
    total(writers.collect(), began).await
}

async fn total(writers: Vec<tokio::task::JoinHandle<u64>>, began: Instant) -> f64 {
    let mut all = 0;
    for writer in writers {
        all += writer.await.unwrap();
    }
    all as f64 / began.elapsed().as_secs_f64()
}
