//! Alarm notifications: the webhook of a rule, the webhook of a notification channel, and the live feed of users.

use std::time::Duration;

use serde_json::json;

use crate::api_client::Api;
use crate::clients::{self, Feed};
use crate::fixtures::{self, id, reading};
use crate::platform::Platform;
use crate::wait::wait_until;
use crate::webhook_receiver::WebhookReceiver;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_breach_notifies_the_rules_webhook_the_channels_webhook_and_the_technicians_feed() {
    let platform = Platform::up_with(&[("ARGUSIQ_WEBHOOKS__ALLOWED_NETWORKS", r#"["127.0.0.0/8"]"#)]);
    let api = platform.admin();
    let (by_rule, by_channel) = (WebhookReceiver::answering(200), WebhookReceiver::answering(503));
    let technician = json!({"email": "ada@example.com", "name": "Ada", "password": "correct horse", "role": "operator",
        "workRoles": ["technician"], "organizationId": api.organization});
    let technician = id(&api.post("/api/v1/users", technician), "/user/id");
    let ada = Api::sign_in(&platform.url(), "ada@example.com", "correct horse");
    let mut feed = Feed::open(&platform.url(), &ada.token, &json!({"userId": technician}), "websocket");
    assert_eq!(feed.expect("subscribed", |_| true)["ok"], true);
    let mut foreign = Feed::open(&platform.url(), &api.token, &json!({"userId": technician}), "websocket");
    assert_eq!(foreign.expect("subscribed", |_| true)["ok"], false);
    for medium in
        [json!({"type": "push", "workRoles": ["technician"]}), json!({"type": "webhook", "url": by_channel.url()})]
    {
        let channel = json!({"name": "Channel", "medium": medium, "minimumSeverity": "high"});
        api.post("/api/v1/notification-channels", channel);
    }
    let device = fixtures::device(&api, platform.folder.path(), "SN-20");
    for (severity, name) in [("high", "Hot"), ("low", "Warm")] {
        let rule = json!({"name": name, "entityType": "device", "entityId": device.id, "metricKey": "temperature",
            "condition": {"operator": ">", "value": 80}, "severity": severity, "cooldownSeconds": 0,
            "action": {"type": "webhook", "url": by_rule.url()}});
        api.post("/api/v1/rules", rule);
    }
    clients::paho(&device, platform.mqtt_port(), "3.1.1", &device.topic, &[reading(90.0, -1000), reading(20.0, 0)]);

    let shown = feed.expect("notification:new", |data| data["type"] == "THRESHOLD_BREACH");
    assert_eq!((shown["ruleName"].as_str(), shown["value"].as_f64()), (Some("Hot"), Some(90.0)));
    feed.expect("notification:new", |data| data["type"] == "RETURN_TO_NORMAL");
    let kinds = |receiver: &WebhookReceiver, count: usize| {
        let deliveries = wait_until("the webhooks", SOON, || {
            let deliveries = receiver.deliveries();
            if deliveries.len() == count { Ok(deliveries) } else { Err(deliveries) }
        });
        let mut kinds: Vec<_> = deliveries
            .iter()
            .map(|delivery| serde_json::from_str::<serde_json::Value>(&delivery.body).unwrap())
            .map(|body| format!("{} {}", body["data"]["ruleName"].as_str().unwrap(), body["type"].as_str().unwrap()))
            .collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&by_channel, 2), ["Hot alarm.raised", "Hot alarm.returned"], "the channel ignores severity low");
    // Refused deliveries are retried with the same webhook ids.
    by_channel.answer(200);
    let retried = kinds(&by_channel, 4);
    assert_eq!(retried, ["Hot alarm.raised", "Hot alarm.raised", "Hot alarm.returned", "Hot alarm.returned"]);
    let deliveries = by_channel.deliveries();
    let ids: std::collections::BTreeSet<_> = deliveries.iter().map(|delivery| delivery.header("webhook-id")).collect();
    assert_eq!(ids.len(), 2);
    let all = ["Hot alarm.raised", "Hot alarm.returned", "Warm alarm.raised", "Warm alarm.returned"];
    assert_eq!(kinds(&by_rule, 4), all);
    wait_until("everything is delivered", SOON, || {
        let delivered = api.get("/api/v1/notifications?status=delivered");
        if delivered["total"] == 8 { Ok(()) } else { Err(delivered) }
    });
}
