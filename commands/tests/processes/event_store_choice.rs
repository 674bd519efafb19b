//! The event store is chosen once: a start with another store is refused, and the error says how to fix it.

use std::sync::Arc;

use commands::{Commands, EventStore, OpenError};
use eventlog::store::JournalKind;

use crate::test_platform::{TestPlatform, now};

fn postgres() -> EventStore {
    // The address leads nowhere: the choice is refused before anything connects to the database.
    EventStore::Postgres { database_url: "postgres://nobody@127.0.0.1:1/none".to_owned() }
}

#[tokio::test]
async fn a_start_with_another_event_store_than_the_first_is_refused() {
    let (log, keys, commands) = TestPlatform::empty().await;
    drop(commands);
    assert_eq!(log.journal_kind().await.unwrap(), Some(JournalKind::JetStream));
    let refused = Commands::open_with(postgres(), log.clone(), keys.clone(), Arc::new(now)).await.err().unwrap();
    assert!(matches!(refused, OpenError::Choice(_)), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("stores its events in jetstream"), "{message}");
    assert!(message.contains("event_store = \"jetstream\""), "{message}");
    assert!(Commands::open(log, keys, Arc::new(now)).await.is_ok());
}

#[tokio::test]
async fn an_installation_older_than_the_choice_keeps_its_events_in_jetstream() {
    let space = stack::testing::space().await;
    let settings = eventlog::Settings::new(&space.nats).with_prefix(&space.stream_prefix);
    let log = eventlog::Log::connect(settings.with_sizes(eventlog::StreamSizes::small())).await.unwrap();
    log.declare_streams().await.unwrap();
    assert_eq!(log.journal_kind().await.unwrap(), None);
    let publisher = eventlog::Publisher::new(&log, eventlog::PublisherSettings::default());
    publisher.publish(eventlog::Stream::EsAlarm, "acme.alarm.1", Default::default(), "[]".into()).await.unwrap();
    assert_eq!(log.journal_kind().await.unwrap(), Some(JournalKind::JetStream));
    assert!(log.choose_journal(JournalKind::Postgres).await.is_err());
}
