//! Converts threshold events, presence facts and certificate events to rows of system events. Pure.

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::certificate::CertificateEvent;
use domain::ids::derive;
use domain::telemetry::{PresenceFact, PresenceKind, ThresholdEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::decoded_event::DecodedEvent;
use crate::sql_values::{enum_text, nearest_time, strip_nul_json, to_json};

/// The UUID namespace of ids that are derived from an event's content.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0b_6f0c_6f0e_4c1e_9d3a_6a5f_2d1b_7c44);

/// A system event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemEventRow {
    /// The event.
    pub id: Uuid,
    /// Its organisation; absent if unknown (a connection refused before the client was identified).
    pub organization_id: Option<Uuid>,
    /// `THRESHOLD_BREACH`, `RETURN_TO_NORMAL`, `DEVICE_OFFLINE`, `CONNECTION_REFUSED`, `EDGE_LOST`,
    /// `CERTIFICATE_REVOKED`, `CERTIFICATE_EXPIRING` or `CERTIFICATE_EXPIRED`.
    pub event_type: String,
    /// `device`, `asset`, `space` or `certificate`.
    pub entity_type: Option<String>,
    /// The entity.
    pub entity_id: Option<Uuid>,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// When it happened.
    #[serde(serialize_with = "nearest_time")]
    pub occurred_at: DateTime<Utc>,
    /// Details, as a JSON object.
    pub payload: Value,
}

/// Returns the row of a threshold event.
pub fn of_threshold(event: &ThresholdEvent) -> SystemEventRow {
    SystemEventRow {
        id: event.event_id,
        organization_id: Some(event.organization.0),
        event_type: enum_text(&event.transition),
        entity_type: Some(enum_text(&event.entity_type)),
        entity_id: Some(event.entity_id),
        severity: event.severity.to_string(),
        occurred_at: event.measured_at,
        payload: threshold_payload(event),
    }
}

/// Returns the details of a threshold event.
pub fn threshold_payload(event: &ThresholdEvent) -> Value {
    let payload = json!({
        "ruleId": event.rule_id,
        "ruleName": event.rule_name,
        "alarmId": event.alarm_id,
        "metricKey": event.metric_key,
        "value": event.value,
        "reason": event.reason,
        "timestamp": event.measured_at,
        "receivedAt": event.received_at,
    });
    strip_nul_json(without_nulls(payload))
}

/// Returns the row of a presence fact, if it is a system event.
pub fn of_presence(fact: &PresenceFact) -> Option<SystemEventRow> {
    let (event_type, severity) = match fact.kind {
        PresenceKind::ConnectionRefused => ("CONNECTION_REFUSED", "medium"),
        PresenceKind::EdgeLost => ("EDGE_LOST", "high"),
        PresenceKind::Connected | PresenceKind::Disconnected | PresenceKind::Silent => return None,
    };
    let device = fact.device.map(|device| device.0);
    let at = fact.at.timestamp_micros().to_string();
    let who = device.map(|device| device.to_string()).unwrap_or_default();
    let reason = fact.reason.clone().unwrap_or_default();
    Some(SystemEventRow {
        id: derive(NAMESPACE, &[event_type, &fact.edge, &who, &reason, &at]),
        organization_id: fact.organization.map(|organization| organization.0),
        event_type: event_type.into(),
        entity_type: device.map(|_| "device".into()),
        entity_id: device,
        severity: severity.into(),
        occurred_at: fact.at,
        payload: strip_nul_json(without_nulls(json!({ "edge": fact.edge, "reason": fact.reason }))),
    })
}

/// Returns the row of a certificate's expiry or revocation.
pub fn of_certificate(decoded: &DecodedEvent) -> Option<SystemEventRow> {
    let AnyEvent::Certificate(event) = &decoded.event else { return None };
    let (event_type, severity, payload) = match event {
        CertificateEvent::CertificateIssued { .. }
        | CertificateEvent::CertificateRenewed { .. }
        | CertificateEvent::CertificateExpiryAnnounced { .. } => return None,
        CertificateEvent::CertificateRevoked { reason, code } => {
            ("CERTIFICATE_REVOKED", "medium", json!({ "reason": reason, "code": to_json(code) }))
        }
        CertificateEvent::CertificateExpiring {} => ("CERTIFICATE_EXPIRING", "medium", json!({})),
        CertificateEvent::CertificateExpired {} => ("CERTIFICATE_EXPIRED", "high", json!({})),
    };
    Some(SystemEventRow {
        id: decoded.event_id,
        organization_id: Some(decoded.organization),
        event_type: event_type.into(),
        entity_type: Some("certificate".into()),
        entity_id: Some(decoded.id),
        severity: severity.into(),
        occurred_at: decoded.recorded_at(),
        payload,
    })
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}
