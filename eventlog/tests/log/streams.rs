//! Declared streams: created once, compared from then on, and separate for every prefix.

use bytes::Bytes;
use eventlog::streams::Error;
use eventlog::{BucketName, Headers, Log, PublishError, Publisher, PublisherSettings, Stream, StreamSizes};

use crate::support;

#[tokio::test]
async fn declaring_twice_changes_nothing() {
    let log = support::log().await;
    let before = log.state(Stream::Es).await.unwrap();
    log.declare_streams().await.unwrap();
    log.check_streams().await.unwrap();
    assert_eq!(log.state(Stream::Es).await.unwrap(), before);
}

#[tokio::test]
async fn a_stream_that_differs_is_refused_and_both_values_are_shown() {
    let log = support::log().await;
    let mut settings = log.settings().clone();
    settings.sizes.raw_bytes = 7_000_001;
    let other = Log::connect(settings).await.unwrap();
    let error = other.declare_streams().await.unwrap_err();
    let Error::Different(differences) = &error else { panic!("{error}") };
    assert_eq!(differences.len(), 1);
    let text = error.to_string();
    assert!(text.contains("TELEMETRY_RAW max_bytes: declared 7000001, on the server 268435456"), "{text}");
    assert!(matches!(other.check_streams().await, Err(Error::Different(_))));
}

#[tokio::test]
async fn a_stream_is_resized_only_on_request() {
    let log = support::log().await;
    let mut settings = log.settings().clone();
    settings.sizes.raw_bytes = 7_000_001;
    let other = Log::connect(settings).await.unwrap();
    let changed = other.change_streams().await.unwrap();
    assert_eq!(changed.len(), 1);
    other.check_streams().await.unwrap();
    assert_eq!(other.state(Stream::TelemetryRaw).await.unwrap().max_bytes, 7_000_001);
}

#[tokio::test]
async fn a_check_names_missing_streams_and_creates_none() {
    let log = support::undeclared(StreamSizes::small()).await;
    let error = log.check_streams().await.unwrap_err();
    assert!(error.to_string().contains(&log.settings().stream_name(Stream::TelemetryRaw)), "{error}");
    let everything = Stream::ALL.len() + BucketName::ALL.len();
    assert!(matches!(log.check_streams().await, Err(Error::Missing(names)) if names.len() == everything));
}

#[tokio::test]
async fn two_prefixes_are_isolated_from_each_other() {
    let (a, b) = (support::log().await, support::log().await);
    support::publish(&a, Stream::Presence, "3", 2).await;
    assert_eq!(a.last_sequence(Stream::Presence).await.unwrap(), 2);
    assert_eq!(b.last_sequence(Stream::Presence).await.unwrap(), 0);
    let message = a.get_message(Stream::Presence, 2).await.unwrap().unwrap();
    assert_eq!((message.subject.as_str(), message.payload.as_ref()), ("presence.v1.3", b"1".as_ref()));
    assert!(b.get_message(Stream::Presence, 2).await.unwrap().is_none());
}

#[tokio::test]
async fn domain_events_are_never_trimmed_and_raw_telemetry_may_be() {
    let log = support::log().await;
    support::publish(&log, Stream::TelemetryRaw, "0", 5).await;
    log.trim(Stream::TelemetryRaw, 4).await.unwrap();
    let state = log.state(Stream::TelemetryRaw).await.unwrap();
    assert_eq!((state.first_sequence, state.last_sequence, state.messages), (4, 5, 2));
    assert!(matches!(log.trim(Stream::Es, 1).await, Err(eventlog::inspect::Error::Untrimmable(Stream::Es))));
}

#[tokio::test]
async fn the_server_itself_refuses_to_delete_domain_events() {
    let log = support::log().await;
    support::publish(&log, Stream::Es, "acme.device.7", 1).await;
    let client = async_nats::connect(log.settings().url.as_str()).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream(log.settings().stream_name(Stream::Es)).await.unwrap();
    assert!(stream.delete_message(1).await.is_err());
    assert!(stream.purge().await.is_err());
    assert!(log.get_message(Stream::Es, 1).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_raw_stream_refuses_new_messages_and_keeps_the_old_ones() {
    let log = support::undeclared(StreamSizes { raw_bytes: 200_000, ..StreamSizes::small() }).await;
    log.declare_streams().await.unwrap();
    let publisher = Publisher::new(&log, PublisherSettings::default());
    let payload = Bytes::from(vec![b'x'; 50_000]);
    let mut stored = 0;
    let refused = loop {
        match publisher.publish(Stream::TelemetryRaw, "0", Headers::new(), payload.clone()).await {
            Ok(sequence) => stored = sequence,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, PublishError::Full(Stream::TelemetryRaw)), "{refused:?}");
    let state = log.state(Stream::TelemetryRaw).await.unwrap();
    assert_eq!((state.first_sequence, state.messages), (1, stored));
    assert!(state.fullness() > 0.7, "{state:?}");
}
