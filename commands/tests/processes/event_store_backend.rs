//! The event store of these tests: JetStream.

use commands::EventStore;
use eventlog::Log;
use stack::testing::Space;

/// Prepares the event store; JetStream needs nothing besides its streams.
pub async fn prepare(_: &Space) {}

/// Returns the event store that belongs to a log.
pub async fn event_store(_: &Log) -> EventStore {
    EventStore::JetStream
}

/// Waits until JetStream contains every stored event: always true here, because commands append to it directly.
pub async fn settled(_: &Log) {}
