//! Publishing, and the single writer of a subject, which is exact despite lost acknowledgements and other writers.

use std::time::Duration;

use bytes::Bytes;
use eventlog::writer::{Error, WriterSettings};
use eventlog::{Headers, PublishError, Publisher, PublisherSettings, Stream, SubjectWriter};

use crate::support::{self, Server};

#[tokio::test]
async fn a_message_is_read_back_as_it_was_published() {
    let log = support::log().await;
    let publisher = Publisher::new(&log, PublisherSettings::default());
    let headers = Headers::new().with("Argusiq-Kind", "test");
    let sequence = publisher.publish(Stream::Presence, "3", headers, Bytes::from_static(b"\x00\xff")).await.unwrap();
    let message = log.get_message(Stream::Presence, sequence).await.unwrap().unwrap();
    assert_eq!((message.subject.as_str(), message.payload.as_ref()), ("presence.v1.3", b"\x00\xff".as_ref()));
    assert_eq!(message.header("Argusiq-Kind"), Some("test"));
}

#[tokio::test]
async fn a_message_above_the_servers_size_limit_is_refused() {
    let log = support::log().await;
    let publisher = Publisher::new(&log, PublisherSettings::default());
    let huge = Bytes::from(vec![0; 9 << 20]);
    let refused = publisher.publish(Stream::Presence, "0", Headers::new(), huge).await;
    assert!(matches!(refused, Err(PublishError::TooLarge { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_lost_acknowledgement_does_not_duplicate_the_message() {
    let server = Server::start().await;
    let log = server.log("").await;
    let settings = WriterSettings { timeout: Duration::from_millis(300), deadline: Duration::from_secs(20) };
    let mut writer = SubjectWriter::new(&log, Stream::TelemetryRaw, "0", settings);
    assert_eq!(writer.write(Headers::new(), Bytes::from("first")).await.unwrap(), 1);
    server.freeze();
    let lost = tokio::spawn(async move {
        let sequence = writer.write(Headers::new(), Bytes::from("second")).await.unwrap();
        (sequence, writer)
    });
    // Longer than one attempt, so that the writer gives up on the message in the server's socket and retries it.
    tokio::time::sleep(Duration::from_millis(900)).await;
    server.thaw();
    let (sequence, mut writer) = lost.await.unwrap();
    assert_eq!(sequence, 2);
    assert_eq!(writer.write(Headers::new(), Bytes::from("third")).await.unwrap(), 3);
    assert_eq!(log.last_sequence(Stream::TelemetryRaw).await.unwrap(), 3);
}

#[tokio::test]
async fn two_writers_on_one_subject_store_everything_once() {
    let log = support::log().await;
    let write = |name: &'static str| {
        let mut writer = SubjectWriter::new(&log, Stream::TelemetryRaw, "0", WriterSettings::default());
        async move {
            for n in 0..10 {
                writer.write(Headers::new(), Bytes::from(format!("{name}{n}"))).await.unwrap();
            }
        }
    };
    tokio::join!(write("a"), write("b"));
    let messages = log.read_subject(Stream::TelemetryRaw, "0", 1).await.unwrap();
    let mut payloads: Vec<_> = messages.iter().map(|message| message.payload.clone()).collect();
    payloads.sort();
    payloads.dedup();
    assert_eq!((messages.len(), payloads.len()), (20, 20));
}

#[tokio::test]
async fn a_writer_continues_after_its_subject_was_trimmed() {
    let log = support::log().await;
    let mut writer = SubjectWriter::new(&log, Stream::TelemetryRaw, "0", WriterSettings::default());
    assert_eq!(writer.write(Headers::new(), Bytes::from("a")).await.unwrap(), 1);
    log.trim(Stream::TelemetryRaw, 2).await.unwrap();
    assert_eq!(writer.write(Headers::new(), Bytes::from("b")).await.unwrap(), 2);
}

#[tokio::test]
async fn the_outcome_is_unknown_when_the_server_does_not_answer() {
    let server = Server::start().await;
    let log = server.log("").await;
    let settings = WriterSettings { timeout: Duration::from_millis(100), deadline: Duration::from_millis(400) };
    let mut writer = SubjectWriter::new(&log, Stream::TelemetryRaw, "0", settings);
    writer.write(Headers::new(), Bytes::from("first")).await.unwrap();
    server.freeze();
    let unknown = writer.write(Headers::new(), Bytes::from("second")).await;
    server.thaw();
    let is_unknown = matches!(unknown, Err(Error::Publish(PublishError::Unacknowledged { stored: None, .. })));
    assert!(is_unknown, "{unknown:?}");
    // Whatever its outcome, the next message is stored after it and nothing is stored twice.
    let third = writer.write(Headers::new(), Bytes::from("third")).await.unwrap();
    let messages = log.read_subject(Stream::TelemetryRaw, "0", 1).await.unwrap();
    let payloads: Vec<_> = messages.iter().map(|message| message.payload.as_ref()).collect();
    assert_eq!(payloads.iter().filter(|payload| **payload == b"third").count(), 1);
    assert!(payloads.iter().filter(|payload| **payload == b"second").count() <= 1);
    assert_eq!(messages.last().unwrap().sequence, third);
}
