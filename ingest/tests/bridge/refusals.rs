//! What the bridge refuses, and that each refusal is a dead letter with its reason and is acknowledged to the broker.

use rumqttc::QoS;

use crate::site::{Sent, Site, sent};
use crate::world::{eventually, new_id};

const GOOD: &str = r#"{"metrics":{"n":1}}"#;

#[tokio::test]
async fn every_refusal_is_a_dead_letter_with_its_reason_and_never_comes_again() {
    let site = Site::new().await;
    site.open_to_the_service();
    let (device, other) = (site.world.device().await, site.world.other_organization().await);
    let scrapped = site.world.device().await;
    site.world.decommission(&scrapped).await;
    let bridge = site.bridge_with("refusing", |config| config.limits.max_packet_bytes = 2_000);
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
    let messages: Vec<Sent> = refused.iter().map(|(topic, payload, _)| sent(topic.clone(), payload.as_str())).collect();
    // The bridge must be there: the broker keeps nothing for a subscriber that it has never seen.
    site.subscribed("refusing", 2).await;
    site.publish_as_service(&messages).await;
    let told = || async { Some(site.world.dead_letters().await).filter(|letters| letters.len() >= refused.len()) };
    let letters = eventually("the dead letters", told).await;
    let mut found: Vec<_> = letters.iter().map(|letter| (letter.subject.clone(), letter.reason.as_str())).collect();
    let mut expected: Vec<_> = refused.iter().map(|(topic, _, reason)| (topic.clone(), *reason)).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    bridge.close().await;
    // What is not acknowledged would come again to the same session, before what is new.
    let bridge = site.bridge("refusing");
    site.publish(&device, &[sent(device.topic(), GOOD)]).await;
    eventually("the good message", || async { (site.world.raw_payloads().await == [GOOD]).then_some(()) }).await;
    assert_eq!(site.world.dead_letters().await.len(), refused.len());
    bridge.close().await;
}

#[tokio::test]
async fn a_retained_message_is_refused_because_it_is_no_news() {
    let site = Site::new().await;
    site.open_to_the_service();
    let device = site.world.device().await;
    site.publish_as_service(&[Sent { retain: true, ..sent(device.topic(), GOOD) }]).await;
    // A group gets no retained messages (MQTT 5, 4.8.2); a subscriber of its own does.
    let bridge = site.bridge_with("alone", |config| config.bridge.as_mut().unwrap().group = None);
    let letter = site.world.dead_letter("retained").await;
    assert_eq!((letter.subject, letter.payload.as_str()), (device.topic(), GOOD));
    assert!(site.world.raw().await.is_empty());
    bridge.close().await;
}

#[tokio::test]
async fn messages_without_an_acknowledgement_are_taken_too_and_keep_their_order() {
    let site = Site::new().await;
    let device = site.world.device().await;
    let bridge = site.bridge_with("one", |config| config.bridge.as_mut().unwrap().connections = 1);
    site.subscribed("one", 1).await;
    let payload = |number: usize| format!(r#"{{"metrics":{{"n":{number}}}}}"#);
    let messages: Vec<_> = (0..500)
        .map(|number| {
            let qos = if number % 2 == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
            Sent { qos, ..sent(device.topic(), payload(number)) }
        })
        .collect();
    site.publish(&device, &messages).await;
    let expected: Vec<_> = (0..500).map(payload).collect();
    let all = || async { Some(site.world.raw_payloads().await).filter(|raw| raw.len() >= 500) };
    assert_eq!(eventually("all messages", all).await, expected);
    bridge.close().await;
}

#[tokio::test]
async fn a_device_that_was_registered_a_moment_ago_is_not_refused() {
    let site = Site::new().await;
    let bridge = site.bridge("fresh");
    site.subscribed("fresh", 2).await;
    for _ in 0..20 {
        let device = site.world.device().await;
        site.publish(&device, &[sent(device.topic(), GOOD)]).await;
    }
    let all = || async { (site.world.raw().await.len() == 20).then_some(()) };
    eventually("all devices' messages", all).await;
    assert_eq!(site.world.dead_letters().await, []);
    bridge.close().await;
}
