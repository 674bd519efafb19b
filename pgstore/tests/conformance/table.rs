//! The table: positions without gaps in commit order, rows that cannot be changed, and events that SQL and postgres-es
//! can read.

use std::time::{Duration, Instant};

use cqrs_es::persist::PersistedEventStore;
use cqrs_es::{AggregateContext, EventStore};
use postgres_es::PostgresEventRepository;
use sqlx::PgPool;

use crate::counter::{Counter, increments};
use crate::fixture::store;
use crate::suite::StoreUnderTest;

#[tokio::test(flavor = "multi_thread")]
async fn positions_become_visible_in_order() {
    let store = store().await;
    let writers: Vec<_> = (0..12)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..40 {
                    let name = format!("w{writer}c{n}");
                    store.commit(&format!("acme/{writer}"), &name, increments(&name, 1)).await;
                }
            })
        })
        .collect();
    let (mut db, deadline) = (store.backend.connect().await, Instant::now() + Duration::from_secs(60));
    let mut seen = 0;
    while seen < 480 {
        assert!(Instant::now() < deadline, "only {seen} commits");
        let statement = "SELECT position FROM event_store WHERE stream = 'ES' AND position > $1 ORDER BY position";
        let positions: Vec<i64> = sqlx::query_scalar(statement).bind(seen).fetch_all(&mut db).await.unwrap();
        let last = seen + positions.len() as i64;
        assert_eq!(positions, (seen + 1..=last).collect::<Vec<_>>(), "a commit became visible after a later one");
        seen = last;
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn an_append_that_is_rolled_back_leaves_no_gap() {
    let store = store().await;
    store.commit("acme/1", "a", increments("a", 1)).await;
    let mut db = store.backend.connect().await;
    let mut transaction = sqlx::Connection::begin(&mut db).await.unwrap();
    let statement = "SELECT event_store_append('ES', 'es.acme.counter.2', 0, '[]')";
    let position: Option<i64> = sqlx::query_scalar(statement).fetch_one(&mut *transaction).await.unwrap();
    assert_eq!(position, Some(2));
    transaction.rollback().await.unwrap();
    assert_eq!(store.commit("acme/1", "b", increments("b", 1)).await.position, 2);
}

#[tokio::test]
async fn stored_events_cannot_be_changed_or_removed() {
    let store = store().await;
    store.commit("acme/1", "a", increments("a", 1)).await;
    let mut db = store.backend.connect().await;
    for statement in ["UPDATE event_store SET payload = ''", "DELETE FROM event_store", "TRUNCATE event_store"] {
        let refused = sqlx::query(statement).execute(&mut db).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
    assert_eq!(store.loaded("acme/1").await.version, 1);
}

#[tokio::test]
async fn postgres_es_can_read_the_stored_events() {
    let store = store().await;
    store.commit("acme/1", "a", increments("a", 3)).await;
    store.commit("acme/1", "b", increments("b", 2)).await;
    let pool = PgPool::connect(&store.backend.database).await.unwrap();
    let theirs =
        PersistedEventStore::<PostgresEventRepository, Counter>::new_event_store(PostgresEventRepository::new(pool));
    let read = theirs.load_events("acme/1").await.unwrap();
    let ours = store.events("acme/1").await;
    assert_eq!(read.len(), 5);
    for (read, ours) in read.iter().zip(&ours) {
        assert_eq!((read.sequence as u64, &read.payload, &read.metadata), (ours.version, &ours.event, &ours.metadata));
    }
    let mut context = theirs.load_aggregate("acme/1").await.unwrap();
    assert_eq!(context.aggregate(), &Counter { value: 5, events: 5 });
}
