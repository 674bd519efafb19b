//! Unit tests of the fold and of its rows.

use domain::alarming::Severity;
use domain::certificate::{CertificateEvent, RevocationCode};
use domain::ids::{DeviceId, OrganizationId};
use domain::rule::EntityKind;
use domain::telemetry::{Origin, PresenceFact, PresenceKind, ThresholdEvent, Transition};
use serde_json::json;
use uuid::Uuid;

use super::{of_certificate, of_presence, of_threshold};
use crate::test_events::{ID, ORGANIZATION, at, decoded_event};

fn heard(kind: PresenceKind) -> PresenceFact {
    PresenceFact {
        kind,
        organization: Some(OrganizationId(ORGANIZATION)),
        device: Some(DeviceId(ID)),
        session: None,
        edge: "edge-1".into(),
        at: at(3),
        reason: Some("revoked".into()),
    }
}

#[test]
fn a_threshold_event_keeps_its_id_and_omits_absent_fields() {
    let event = ThresholdEvent {
        event_id: ID,
        origin: Origin::default(),
        es_position: 1,
        transition: Transition::DeviceOffline,
        organization: OrganizationId(ORGANIZATION),
        rule_id: None,
        rule_name: None,
        alarm_id: None,
        entity_type: EntityKind::Device,
        entity_id: ID,
        severity: Severity::Medium,
        metric_key: None,
        value: None,
        reason: Some("protocol_error".into()),
        action: None,
        measured_at: at(1),
        received_at: at(2),
    };
    let row = of_threshold(&event);
    assert_eq!((row.id, row.event_type.as_str(), row.occurred_at), (ID, "DEVICE_OFFLINE", at(1)));
    assert_eq!(row.payload, json!({"reason": "protocol_error", "timestamp": at(1), "receivedAt": at(2)}));
}

#[test]
fn refused_connections_and_lost_edges_are_system_events_but_sessions_are_not() {
    for kind in [PresenceKind::Connected, PresenceKind::Disconnected, PresenceKind::Silent] {
        assert_eq!(of_presence(&heard(kind)), None);
    }
    let refused = of_presence(&heard(PresenceKind::ConnectionRefused)).unwrap();
    assert_eq!((refused.event_type.as_str(), refused.entity_id), ("CONNECTION_REFUSED", Some(ID)));
    assert_eq!(refused.payload, json!({"edge": "edge-1", "reason": "revoked"}));
    assert_eq!(of_presence(&heard(PresenceKind::EdgeLost)).unwrap().event_type, "EDGE_LOST");
}

#[test]
fn the_id_is_derived_from_the_content_of_the_fact() {
    let id = |fact: &PresenceFact| of_presence(fact).unwrap().id;
    let first = heard(PresenceKind::ConnectionRefused);
    assert_eq!(id(&first), id(&first.clone()));
    assert_ne!(id(&first), id(&PresenceFact { at: at(4), ..first.clone() }));
    assert_ne!(id(&first), id(&PresenceFact { device: Some(DeviceId(Uuid::nil())), ..first.clone() }));
}

#[test]
fn expiry_and_revocation_of_a_certificate_are_system_events_but_issuing_is_not() {
    let of = |event| of_certificate(&decoded_event("certificate", 2, &event));
    let revoked = CertificateEvent::CertificateRevoked { reason: "lost".into(), code: RevocationCode::KeyCompromise };
    let row = of(revoked).unwrap();
    assert_eq!(
        (row.event_type.as_str(), row.payload),
        ("CERTIFICATE_REVOKED", json!({"reason": "lost", "code": "key_compromise"}))
    );
    assert_eq!(of(CertificateEvent::CertificateExpiring {}).unwrap().event_type, "CERTIFICATE_EXPIRING");
    assert_eq!(of(CertificateEvent::CertificateExpired {}).unwrap().severity, "high");
    let issued = CertificateEvent::CertificateIssued {
        device_id: DeviceId(ID),
        serial_number: "0a".into(),
        certificate_pem: "pem".into(),
        fingerprint_sha256: "ff".into(),
        not_before: at(0),
        not_after: at(9),
    };
    assert_eq!(of(issued), None);
}
