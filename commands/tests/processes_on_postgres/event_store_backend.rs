//! The event store of these tests: PostgreSQL, in a database named after the stream prefix.

use std::time::{Duration, Instant};

use commands::EventStore;
use eventlog::{Log, Stream};
use stack::testing::{Space, servers, sql};

const TABLES: &str = include_str!("../../../migrations/0031_event_store.sql");

/// Creates the event store's tables.
pub async fn prepare(space: &Space) {
    sql(&space.postgres, TABLES).await.unwrap();
}

/// Returns the event store that belongs to a log.
pub async fn event_store(log: &Log) -> EventStore {
    EventStore::Postgres { database_url: database_url(log).await }
}

/// Waits up to 20 s until JetStream contains every event that PostgreSQL stores.
pub async fn settled(log: &Log) {
    let database_url = database_url(log).await;
    for stream in Stream::DOMAIN {
        let statement = format!("SELECT coalesce(max(position), 0) FROM event_store WHERE stream = '{stream}'");
        let last: u64 = sql(&database_url, &statement).await.unwrap()[0].parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while log.last_sequence(stream).await.unwrap() < last {
            assert!(Instant::now() < deadline, "{stream} has not received every message up to {last}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn database_url(log: &Log) -> String {
    let any_database = &servers().await.postgres;
    let server = any_database.rsplit_once('/').unwrap().0;
    format!("{server}/{}", log.settings().stream_prefix)
}
