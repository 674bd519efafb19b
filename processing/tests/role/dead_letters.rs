//! Rejected readings, and devices that are registered just before their first reading.

use eventlog::{Headers, Publisher, PublisherSettings, Stream};
use processing::StageName;

use crate::observed::dead_letters;
use crate::test_platform::{TestPlatform, device, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_readings_go_to_the_dead_letters_and_processing_continues() {
    let platform = TestPlatform::new().await;
    let role = platform.start("a", &[StageName::Normalizer]);
    let publisher = Publisher::new(&platform.log, PublisherSettings::default());
    publisher.publish(Stream::TelemetryRaw, "0", Headers::new(), "no pack at all".into()).await.unwrap();
    let payloads = [
        "no json",
        r#"{"metrics":{"temperature":NaN}}"#,
        r#"{"metrics":{"temperature":"1"}}"#,
        r#"{"ts":0,"metrics":{"temperature":1}}"#,
    ];
    platform.send(1, payloads.map(|payload| (0, payload.to_owned()))).await;
    platform.measure(77, 0, 1.0).await;
    platform.measure(1, 0, 20.0).await;
    until(20, "the good reading is normalised", || async { platform.last(Stream::TelemetryNormalized).await == 1 })
        .await;
    until(20, "the dead letters are stored", || async { platform.last(Stream::TelemetryDlq).await >= 2 }).await;
    role.stop().await;
    let read: Vec<serde_json::Value> = crate::observed::messages(&platform.log, Stream::TelemetryDlq)
        .await
        .iter()
        .map(|message| serde_json::from_slice(&message.payload).unwrap())
        .collect();
    assert!(read[0]["reason"].as_str().unwrap().contains("pack"), "{}", read[0]);
    let reasons: Vec<_> = read[1..]
        .iter()
        .flat_map(|letters| letters.as_array().unwrap())
        .map(|letter| letter["reason"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(reasons, ["malformed_json", "not_finite", "not_a_number", "clock_too_early", "unknown_device"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_registered_just_before_its_first_reading_is_never_unknown() {
    let platform = TestPlatform::new().await;
    let role = platform.start("a", &[StageName::Normalizer]);
    for n in 10..30 {
        platform.add_device(n).await;
        platform.measure(n, 0, 20.0).await;
    }
    until(20, "all are normalised", || async { platform.observed().await.readings.len() == 20 }).await;
    role.stop().await;
    assert!(dead_letters(&platform.log).await.is_empty());
    assert!(platform.observed().await.readings.contains_key(&device(29).0));
}
