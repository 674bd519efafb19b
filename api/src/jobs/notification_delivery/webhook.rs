//! Posts webhooks, signed as Standard Webhooks specifies (standardwebhooks.com): the headers `webhook-id`,
//! `webhook-timestamp` and `webhook-signature`, the last an HMAC-SHA-256 over the other two and the body.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use chrono::SecondsFormat;
use data_encoding::BASE64;
use domain::ids::OrganizationId;
use domain::telemetry::Transition;
use eventlog::error_chain;
use projections::notification_outbox::NotificationRow;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Error};

use super::attempt::Undelivered;
use super::egress_guard::{AllowedResolver, EgressGuard};
use crate::state::State;

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The status by which a receiver unsubscribes (Standard Webhooks).
const GONE: u16 = 410;

/// Sends webhooks. Redirects count as failures: following them could lead into an internal network.
#[derive(Debug)]
pub struct WebhookSender(Agent);

impl WebhookSender {
    /// Returns a sender that reaches what the guard allows and trusts the system's root certificates.
    pub fn new(guard: EgressGuard) -> Self {
        let found = rustls_native_certs::load_native_certs();
        let roots = found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build();
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls)
            .build();
        Self(Agent::with_parts(config, DefaultConnector::default(), AllowedResolver::new(guard)))
    }
}

/// Posts one message to its receiver.
pub async fn post(
    state: &State,
    webhooks: &Arc<WebhookSender>,
    row: &NotificationRow,
    url: &str,
) -> Result<(), Undelivered> {
    let key = state.commands.webhook_key(OrganizationId(row.organization_id)).await;
    let key = key.map_err(|error| Undelivered::Later(error_chain(&error)))?;
    let (body, id) = (body(row).to_string(), row.id.to_string());
    let timestamp = state.now().timestamp().to_string();
    let signature = sign(&key, &id, &timestamp, &body);
    let (webhooks, url) = (webhooks.clone(), url.to_owned());
    // ureq blocks, so the request runs on a thread of the blocking pool.
    let answered = spawn_blocking(move || {
        let request = webhooks.0.post(&url).header("content-type", "application/json");
        let request = request.header("webhook-id", &id).header("webhook-timestamp", &timestamp);
        request.header("webhook-signature", &signature).send(&body).map(|answer| answer.status().as_u16())
    });
    let answered = answered.await.map_err(|died| Undelivered::Later(died.to_string()))?;
    match answered {
        Ok(200..300) => Ok(()),
        Ok(GONE) => Err(Undelivered::Never("the receiver answered 410 and wants no more messages".to_owned())),
        Ok(status) => Err(Undelivered::Later(format!("the receiver answered {status}"))),
        // The egress guard's refusal arrives as this variant.
        Err(Error::Other(internal)) => Err(Undelivered::Never(internal.to_string())),
        Err(Error::BadUri(reason)) => Err(Undelivered::Never(reason)),
        Err(error) => Err(Undelivered::Later(error.to_string())),
    }
}

/// Returns the signature of a message: `v1,` and the base64 of the HMAC-SHA-256 over `id.timestamp.body`.
fn sign(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(tag.as_ref()))
}

fn body(row: &NotificationRow) -> Value {
    let notice = &row.notice;
    let kind = match notice.transition {
        Transition::ThresholdBreach => "alarm.raised",
        Transition::ReturnToNormal => "alarm.returned",
        Transition::DeviceOffline => "device.offline",
    };
    json!({
        "type": kind,
        "timestamp": notice.measured_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "data": {
            "notificationId": row.id,
            "organizationId": row.organization_id,
            "channelId": row.channel_id,
            "alarmId": notice.alarm_id,
            "ruleId": notice.rule_id,
            "ruleName": notice.rule_name,
            "entityType": notice.entity_type,
            "entityId": notice.entity_id,
            "severity": notice.severity,
            "metricKey": notice.metric_key,
            "value": notice.value,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_matches_the_example_of_the_standard() {
        // From the reference libraries of Standard Webhooks.
        let key = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
