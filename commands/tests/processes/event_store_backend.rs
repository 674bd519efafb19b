//! Events are kept in JetStream.

use commands::EventStore;
use eventlog::Log;
use stack::testing::Space;

/// Makes what the event store needs beside the streams.
pub async fn prepare(_: &Space) {}

/// The event store beside a log.
pub async fn event_store(_: &Log) -> EventStore {
    EventStore::JetStream
}

/// Waits until JetStream has every event that is stored.
pub async fn settled(_: &Log) {}
