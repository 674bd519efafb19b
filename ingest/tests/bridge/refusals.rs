//! Refusals of the bridge: each becomes a dead letter with its reason and is acknowledged to the broker.

use rumqttc::QoS;

use crate::test_broker::{BrokeredPlatform, Message, message};
use crate::test_platform::{eventually, new_id};

const GOOD: &str = r#"{"metrics":{"n":1}}"#;

#[tokio::test]
async fn every_refusal_becomes_a_dead_letter_and_is_not_delivered_again() {
    let brokered = BrokeredPlatform::new().await;
    brokered.grant_service_account_everything();
    let (device, other) = (brokered.platform.device().await, brokered.platform.other_organization().await);
    let scrapped = brokered.platform.device().await;
    brokered.platform.decommission(&scrapped).await;
    let bridge = brokered.bridge_with("refusing", |config| config.limits.max_packet_bytes = 2_000);
    let organization = device.organization;
    let refused = [
        (format!("v1/telemetry/{organization}"), GOOD.into(), "unknown_topic"),
        (format!("v1/telemetry/{organization}/{}/more", device.id), GOOD.into(), "unknown_topic"),
        (format!("v1/telemetry/{organization}/{}/even/more", device.id), GOOD.into(), "unknown_topic"),
        (format!("v1/telemetry/{organization}/{}", new_id()), GOOD.into(), "unknown_device"),
        (format!("v1/telemetry/{organization}/no-device"), GOOD.into(), "unknown_device"),
        (format!("v1/telemetry/no-organisation/{}", device.id), GOOD.into(), "wrong_organization"),
        (format!("v1/telemetry/{}/{}", other.id, device.id), GOOD.into(), "wrong_organization"),
        (scrapped.topic(), GOOD.into(), "decommissioned"),
        (device.topic(), "x".repeat(2_001), "oversize"),
        (device.topic(), "{\"metrics\":".into(), "malformed_json"),
    ];
    let messages: Vec<Message> =
        refused.iter().map(|(topic, payload, _)| message(topic.clone(), payload.as_str())).collect();
    // Wait for the bridge: the broker keeps nothing for a subscriber that has never connected.
    brokered.wait_for_subscriptions("refusing", 2).await;
    brokered.publish_as_service(&messages).await;
    let all_letters =
        || async { Some(brokered.platform.dead_letters().await).filter(|letters| letters.len() >= refused.len()) };
    let letters = eventually("the dead letters", all_letters).await;
    let mut found: Vec<_> = letters.iter().map(|letter| (letter.subject.clone(), letter.reason.as_str())).collect();
    let mut expected: Vec<_> = refused.iter().map(|(topic, _, reason)| (topic.clone(), *reason)).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    bridge.close().await;
    // Unacknowledged messages would be delivered again to the same session, before the new one.
    let bridge = brokered.bridge("refusing");
    brokered.publish(&device, &[message(device.topic(), GOOD)]).await;
    eventually("the good message", || async { (brokered.platform.raw_payloads().await == [GOOD]).then_some(()) }).await;
    assert_eq!(brokered.platform.dead_letters().await.len(), refused.len());
    bridge.close().await;
}

#[tokio::test]
async fn a_retained_message_is_refused() {
    let brokered = BrokeredPlatform::new().await;
    brokered.grant_service_account_everything();
    let device = brokered.platform.device().await;
    brokered.publish_as_service(&[Message { retain: true, ..message(device.topic(), GOOD) }]).await;
    // Shared subscriptions receive no retained messages (MQTT 5, 4.8.2); a plain one does.
    let bridge = brokered.bridge_with("alone", |config| config.bridge.as_mut().unwrap().group = None);
    let letter = brokered.platform.dead_letter("retained").await;
    assert_eq!((letter.subject, letter.payload.as_str()), (device.topic(), GOOD));
    assert!(brokered.platform.raw().await.is_empty());
    bridge.close().await;
}

#[tokio::test]
async fn qos_0_and_qos_1_messages_are_stored_in_order() {
    let brokered = BrokeredPlatform::new().await;
    let device = brokered.platform.device().await;
    let bridge = brokered.bridge_with("one", |config| config.bridge.as_mut().unwrap().connections = 1);
    brokered.wait_for_subscriptions("one", 1).await;
    let payload = |number: usize| format!(r#"{{"metrics":{{"n":{number}}}}}"#);
    let messages: Vec<_> = (0..500)
        .map(|number| {
            let qos = if number % 2 == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
            Message { qos, ..message(device.topic(), payload(number)) }
        })
        .collect();
    brokered.publish(&device, &messages).await;
    let expected: Vec<_> = (0..500).map(payload).collect();
    let all = || async { Some(brokered.platform.raw_payloads().await).filter(|raw| raw.len() >= 500) };
    assert_eq!(eventually("all messages", all).await, expected);
    bridge.close().await;
}

#[tokio::test]
async fn a_device_registered_a_moment_ago_is_not_refused() {
    let brokered = BrokeredPlatform::new().await;
    let bridge = brokered.bridge("fresh");
    brokered.wait_for_subscriptions("fresh", 2).await;
    for _ in 0..20 {
        let device = brokered.platform.device().await;
        brokered.publish(&device, &[message(device.topic(), GOOD)]).await;
    }
    let all = || async { (brokered.platform.raw().await.len() == 20).then_some(()) };
    eventually("all devices' messages", all).await;
    assert_eq!(brokered.platform.dead_letters().await, []);
    bridge.close().await;
}
