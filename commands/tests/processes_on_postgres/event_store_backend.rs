//! Events are kept in PostgreSQL: in the database that has the name of the streams' prefix.

use std::time::{Duration, Instant};

use commands::EventStore;
use eventlog::{Log, Stream};
use stack::testing::{Space, servers, sql};

const TABLES: &str = include_str!("../../../migrations/0031_event_store.sql");

/// Makes what the event store needs beside the streams.
pub async fn prepare(space: &Space) {
    sql(&space.postgres, TABLES).await.unwrap();
}

/// The event store beside a log.
pub async fn event_store(log: &Log) -> EventStore {
    EventStore::Postgres { database_url: database(log).await }
}

/// Waits until JetStream has every event that is stored.
pub async fn settled(log: &Log) {
    let database = database(log).await;
    for stream in Stream::DOMAIN {
        let statement = format!("SELECT coalesce(max(position), 0) FROM event_store WHERE stream = '{stream}'");
        let last: u64 = sql(&database, &statement).await.unwrap()[0].parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while log.last_sequence(stream).await.unwrap() < last {
            assert!(Instant::now() < deadline, "{stream} lacks messages below {last}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn database(log: &Log) -> String {
    let shared = &servers().await.postgres;
    let server = shared.rsplit_once('/').unwrap().0;
    format!("{server}/{}", log.settings().stream_prefix)
}
