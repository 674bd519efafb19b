//! Notifications about alarms: webhooks and mails, retries, failures and resending.

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use domain::catalogue::notification_channel::Medium;
use domain::ids::OrganizationId;
use domain::notification::{Notice, Notification, NotificationCommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::mail_server::mails_for;
use crate::support::webhook_receiver::WebhookReceiver;
use crate::support::{Tenant, Text, eventually, platform, tenant, unique};

fn notice() -> Notice {
    serde_json::from_value(json!({"transition": "THRESHOLD_BREACH", "alarm_id": Uuid::from_u128(7), "rule_name": "Hot",
        "entity_type": "asset", "entity_id": Uuid::from_u128(8), "severity": "high", "metric_key": "temperature",
        "value": 90.5, "measured_at": "2026-11-23T10:00:00Z"}))
    .unwrap()
}

/// Requests a notification as the notifier stage does; returns its path.
pub fn request_notification(tenant: &Tenant, medium: Medium) -> String {
    let organization: OrganizationId = tenant.organization.parse().unwrap();
    let id = domain::ids::derive(organization.0, &[&unique()]);
    let context = commands::CommandContext::system("test", organization, id);
    let command = NotificationCommand::RequestNotification { channel_id: None, medium, notice: notice() };
    let platform = platform();
    platform.runtime.block_on(platform.commands.execute::<Notification>(&context, id, command)).unwrap();
    format!("/api/v1/notifications/{id}")
}

fn webhook(url: &str) -> Medium {
    Medium::Webhook { url: url.to_owned() }
}

/// Waits until a notification satisfies a condition.
fn wait_for_notification(tenant: &Tenant, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
    eventually("the notification to satisfy the condition", || {
        let answer = tenant.admin.get(path);
        (answer.status == 200 && condition(&answer["notification"])).then(|| answer["notification"].clone())
    })
}

fn with_status<'s>(status: &'s str) -> impl Fn(&Value) -> bool + 's {
    move |notification| notification["status"] == status
}

#[test]
fn a_webhook_is_posted_once_and_signed_as_standard_webhooks_requires() {
    let (tenant, receiver) = (tenant("Pagers"), WebhookReceiver::answering(204));
    let secret = tenant.admin.post("/api/v1/webhook-secret", json!({})).ok()["secret"].text();
    let path = request_notification(&tenant, webhook(&receiver.url()));
    let delivered = wait_for_notification(&tenant, &path, with_status("delivered"));
    assert_eq!((&delivered["attempts"], &delivered["medium"]), (&json!(1), &json!("webhook")));
    let deliveries = receiver.deliveries();
    let [delivery] = &deliveries[..] else { panic!("{deliveries:?}") };
    assert_eq!(delivery.header("webhook-id"), delivered["id"].text());
    let key =
        hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap());
    let signed =
        format!("{}.{}.{}", delivery.header("webhook-id"), delivery.header("webhook-timestamp"), delivery.body);
    let signature =
        BASE64.decode(delivery.header("webhook-signature").strip_prefix("v1,").unwrap().as_bytes()).unwrap();
    hmac::verify(&key, signed.as_bytes(), &signature).expect("the signature is valid");
    let body: Value = serde_json::from_str(&delivery.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["value"]), (&json!("alarm.raised"), &json!(90.5)));
    assert_eq!(body["data"]["alarmId"], json!(Uuid::from_u128(7)));
    assert_eq!(tenant.admin.get("/api/v1/notifications?status=delivered").ok()["total"], 1);
    let of_alarm = format!("/api/v1/notifications?alarmId={}", Uuid::from_u128(7));
    assert_eq!(tenant.admin.get(&of_alarm).ok()["total"], 1);
    let another = tenant.admin.post("/api/v1/webhook-secret", json!({})).ok()["secret"].text();
    assert_ne!(another, secret);
    let audit = eventually("both audit events", || {
        let audit = tenant.admin.get("/api/v1/audit?action=WebhookSecretReplaced").ok();
        (audit["events"].as_array()?.len() == 2).then_some(audit)
    });
    assert!(!audit.text.contains("whsec_"));
}

#[test]
fn a_server_error_is_retried_and_410_fails_until_resent() {
    let (tenant, receiver) = (tenant("Broken pagers"), WebhookReceiver::answering(500));
    let path = request_notification(&tenant, webhook(&receiver.url()));
    let refused = wait_for_notification(&tenant, &path, |shown| shown["reason"].is_string());
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("pending"), &json!("the receiver answered 500")));
    assert!(refused["dueAt"].is_string());
    tenant.admin.post(&format!("{path}/resend"), json!({})).problem(409, "wrong-state");

    receiver.answer(410);
    let path = request_notification(&tenant, webhook(&receiver.url()));
    let failed = wait_for_notification(&tenant, &path, with_status("failed"));
    assert!(failed["reason"].text().contains("410"), "{failed}");
    receiver.answer(200);
    let again = tenant.admin.post(&format!("{path}/resend"), json!({})).ok();
    assert_eq!(again["notification"]["status"], "pending");
    wait_for_notification(&tenant, &path, with_status("delivered"));
    let id = failed["id"].text();
    let deliveries = receiver.deliveries().into_iter().filter(|delivery| delivery.header("webhook-id") == id);
    assert_eq!(deliveries.count(), 2, "both attempts have the same id");
}

#[test]
fn webhooks_do_not_reach_internal_addresses() {
    let tenant = tenant("Insiders");
    for url in ["http://10.0.0.1/hook", "http://169.254.169.254/latest/meta-data", "http://[fd00::1]/"] {
        let path = request_notification(&tenant, webhook(url));
        let failed = wait_for_notification(&tenant, &path, with_status("failed"));
        assert!(failed["reason"].text().contains("webhooks.allowed_networks"), "{failed}");
    }
}

#[test]
fn a_process_without_a_mail_server_leaves_mails_to_others() {
    let tenant = tenant("Half mailed");
    let others = [(); 4].map(|()| platform().second_api_without_mail());
    eventually("the other processes", || others.iter().all(|other| other.get("/health").status == 200).then_some(()));
    let email = format!("half-{}@example.com", unique());
    let body = json!({"email": email, "name": "N", "password": "correct horse", "role": "operator",
        "workRoles": ["technician"], "organizationId": tenant.organization});
    tenant.admin.post("/api/v1/users", body).created();
    let path = request_notification(&tenant, Medium::Email { work_roles: vec!["technician".to_owned()] });
    let sent = wait_for_notification(&tenant, &path, |shown| shown["status"] != "pending");
    assert_eq!((&sent["status"], mails_for(&email).len()), (&json!("delivered"), 1));
}

#[test]
fn only_users_with_the_work_role_are_mailed() {
    let tenant = tenant("Mailed");
    let person = |role: &str, work_roles: Value| {
        let email = format!("{role}-{}@example.com", unique());
        let body = json!({"email": email, "name": "N", "password": "correct horse", "role": "operator",
            "workRoles": work_roles, "organizationId": tenant.organization});
        tenant.admin.post("/api/v1/users", body).created();
        email
    };
    let (technician, other) = (person("technician", json!(["technician"])), person("other", json!(["cleaner"])));
    let email = |role: &str| Medium::Email { work_roles: vec![role.to_owned()] };
    let path = request_notification(&tenant, email("technician"));
    let delivered = wait_for_notification(&tenant, &path, with_status("delivered"));
    assert_eq!(delivered["recipients"], 1);
    let mails = mails_for(&technician);
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert!(mail.text.contains("Hot breached on asset"), "{}", mail.text);
    assert_eq!(mails_for(&other).len(), 0);
    let path = request_notification(&tenant, Medium::Push { work_roles: vec!["pilot".to_owned()] });
    let failed = wait_for_notification(&tenant, &path, with_status("failed"));
    assert_eq!(failed["reason"], "no active user has any of these work roles");
}
