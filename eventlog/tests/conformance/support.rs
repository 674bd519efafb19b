//! What the tests take from the local stack.

use eventlog::{Headers, Log, Publisher, PublisherSettings, Settings, Stream, StreamSizes};

/// Settings for streams of one's own on the tests' server.
pub async fn space() -> Settings {
    let space = stack::testing::space().await;
    Settings::new(space.nats).with_prefix(space.stream_prefix).with_sizes(StreamSizes::small())
}

/// Publishes a message the store did not write.
pub async fn publish(log: &Log, tail: &str, payload: &str) -> u64 {
    let publisher = Publisher::new(log, PublisherSettings::default());
    publisher.publish(Stream::Es, tail, Headers::new(), payload.to_owned().into()).await.unwrap()
}
