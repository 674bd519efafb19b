//! The relay: every committed message is in JetStream at its position, byte for byte and once, whatever happens to
//! relays; and a database that does not belong to the log is refused.

use std::time::{Duration, Instant};

use eventlog::store::{AggregateKey, Error, Journal};
use eventlog::{Log, Stream};
use sqlx::{Connection, PgConnection, Row};

use crate::backend;
use crate::counter::increments;
use crate::fixture::{Fixture, metadata, store, store_settings};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Waits until JetStream has as many messages as the table, and compares them all.
async fn relayed(store: &Fixture, stream: Stream) -> u64 {
    let statement = "SELECT position, subject, payload FROM event_store WHERE stream = $1 ORDER BY position";
    let rows = sqlx::query(statement).bind(stream.name()).fetch_all(&mut store.backend.connect().await).await.unwrap();
    let deadline = Instant::now() + TIMEOUT;
    while store.log.last_sequence(stream).await.unwrap() < rows.len() as u64 {
        assert!(Instant::now() < deadline, "{stream} is still missing messages");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for row in &rows {
        let position = row.get::<i64, _>("position") as u64;
        let message = store.log.get_message(stream, position).await.unwrap().unwrap();
        assert_eq!(message.subject, row.get::<String, _>("subject"), "{stream} {position}");
        assert_eq!(message.payload, row.get::<Vec<u8>, _>("payload"), "{stream} {position}");
    }
    assert_eq!(store.log.last_sequence(stream).await.unwrap(), rows.len() as u64, "{stream} has more than was stored");
    rows.len() as u64
}

async fn append(store: &Fixture, kind: &str, id: &str) -> u64 {
    let key = AggregateKey::new("acme", kind, id).unwrap();
    store.backend.journal.append(&key, 0, "[]".into(), TIMEOUT).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stream_holds_its_messages_at_their_positions() {
    let store = store().await;
    for n in 1..=5 {
        for kind in ["device", "alarm", "activity"] {
            assert_eq!(append(&store, kind, &n.to_string()).await, n, "each stream counts its own positions");
        }
    }
    for stream in Stream::DOMAIN {
        assert_eq!(relayed(&store, stream).await, 5);
    }
}

/// Relays start and stop in the middle of their work, several at a time, while their lock connections are terminated.
#[tokio::test(flavor = "multi_thread")]
async fn relays_that_start_and_stop_neither_duplicate_nor_skip_messages() {
    let store = store().await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..100 {
                    let name = format!("w{writer}c{n}");
                    store.commit(&format!("acme/{writer}"), &name, increments(&name, 1)).await;
                }
            })
        })
        .collect();
    let mut db = store.backend.connect().await;
    while !writers.iter().all(|writer| writer.is_finished()) {
        let relays = [store.backend.journal.relay(), store.backend.journal.relay()];
        let terminate =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        sqlx::query(terminate).execute(&mut db).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        drop(relays);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(relayed(&store, Stream::Es).await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_a_relay_that_hangs() {
    let place = backend::place().await;
    let log = Log::connect(place.settings.clone()).await.unwrap();
    log.declare_streams().await.unwrap();
    let mut hanging = PgConnection::connect(&place.database).await.unwrap();
    let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock(1095910739, 1)").fetch_one(&mut hanging).await;
    assert!(matches!(lock, Ok(true)), "{lock:?}");
    let store = Fixture::open(place, store_settings()).await;
    for n in 0..20 {
        store.commit("acme/1", &format!("c{n}"), increments("x", 1)).await;
    }
    assert_eq!(relayed(&store, Stream::Es).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_older_than_the_log_is_refused() {
    let store = store().await;
    for n in 0..3 {
        store.commit("acme/1", &format!("c{n}"), increments("x", 1)).await;
    }
    assert_eq!(relayed(&store, Stream::Es).await, 3);
    let mut older = backend::place().await;
    older.settings = store.place.settings.clone();
    let older = Fixture::open(older, store_settings()).await;
    let refused =
        older.store.append(older.loaded("acme/2").await, increments("y", 1), metadata("y")).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    assert!(refused.to_string().contains("ES holds 3 messages, the event store only 0"), "{refused}");
    assert_eq!((older.last().await, store.log.last_sequence(Stream::Es).await.unwrap()), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_installation_is_refused() {
    let (mine, theirs) = (store().await, store().await);
    mine.commit("acme/1", "a", increments("a", 1)).await;
    theirs.commit("acme/1", "b", increments("b", 1)).await;
    assert_eq!((relayed(&mine, Stream::Es).await, relayed(&theirs, Stream::Es).await), (1, 1));
    let mut crossed = mine.place.clone();
    crossed.database = theirs.place.database.clone();
    let crossed = Fixture::open(crossed, store_settings()).await;
    let loaded = crossed.loaded("acme/2").await;
    let refused = crossed.store.append(loaded, increments("c", 1), metadata("c")).await.unwrap_err();
    assert!(refused.to_string().contains("do not belong together"), "{refused}");
    assert_eq!(theirs.last().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_streams_are_refilled_from_the_database() {
    let store = store().await;
    for n in 0..300 {
        store.commit(&format!("acme/{}", n % 7), &format!("c{n}"), increments("x", 1)).await;
    }
    let mut anew = store.place.clone();
    anew.settings = backend::place().await.settings;
    let anew = Fixture::open(anew, store_settings()).await;
    assert_eq!(relayed(&anew, Stream::Es).await, 300);
}
