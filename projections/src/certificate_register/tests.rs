//! Unit tests of the fold and of its rows.

use domain::certificate::{CertificateEvent, RevocationCode};
use domain::ids::{CertificateId, DeviceId};
use uuid::Uuid;

use super::{CertificateRow, Certificates, Transition};
use crate::test_events::{ID, ORGANIZATION, USER, at, rows_after};

fn issued() -> CertificateEvent {
    CertificateEvent::CertificateIssued {
        device_id: DeviceId(Uuid::from_u128(9)),
        serial_number: "0a".into(),
        certificate_pem: "pem".into(),
        fingerprint_sha256: "ff".into(),
        not_before: at(0),
        not_after: at(100),
    }
}

fn row() -> CertificateRow {
    CertificateRow {
        id: ID,
        organization_id: ORGANIZATION,
        device_id: Uuid::from_u128(9),
        serial_number: "0a".into(),
        certificate: "pem".into(),
        fingerprint_sha256: "ff".into(),
        valid_from: at(0),
        valid_until: at(100),
        expiring: false,
        announced_at: None,
        expired: false,
        renewed_at: None,
        successor_id: None,
        overlap_ends_at: None,
        revoked_at: None,
        revoked_reason: None,
        revoked_code: None,
        history: vec![came_to("active", 1)],
        created_at: at(1),
        created_by: format!("user:{USER}"),
        version: 1,
        position: 1,
    }
}

fn came_to(state: &str, second: i64) -> Transition {
    Transition { state: state.into(), at: at(second), by: format!("user:{USER}") }
}

fn then(event: CertificateEvent) -> CertificateRow {
    rows_after::<Certificates, _>("certificate", &[issued(), event]).get(ID).cloned().unwrap()
}

#[test]
fn each_event_changes_its_own_columns() {
    let came = |state: &str| CertificateRow {
        version: 2,
        position: 2,
        history: vec![came_to("active", 1), came_to(state, 2)],
        ..row()
    };
    assert_eq!(rows_after::<Certificates, _>("certificate", &[issued()]).get(ID), Some(&row()));
    let revoked = CertificateEvent::CertificateRevoked { reason: "lost".into(), code: RevocationCode::KeyCompromise };
    let expected = CertificateRow {
        revoked_at: Some(at(2)),
        revoked_reason: Some("lost".into()),
        revoked_code: Some("key_compromise".into()),
        ..came("revoked")
    };
    assert_eq!(then(revoked), expected);
    let successor = CertificateId(Uuid::from_u128(10));
    let renewed = CertificateEvent::CertificateRenewed { successor, overlap_ends_at: Some(at(50)) };
    let expected = CertificateRow {
        renewed_at: Some(at(2)),
        successor_id: Some(successor.0),
        overlap_ends_at: Some(at(50)),
        ..came("renewed")
    };
    assert_eq!(then(renewed), expected);
    let expiring = then(CertificateEvent::CertificateExpiring {});
    assert_eq!(expiring, CertificateRow { expiring: true, ..came("expiring") });
    let told = [
        issued(),
        CertificateEvent::CertificateExpiring {},
        CertificateEvent::CertificateExpiryAnnounced { recipients: 1 },
    ];
    let told = rows_after::<Certificates, _>("certificate", &told).get(ID).cloned().unwrap();
    let expected =
        CertificateRow { expiring: true, announced_at: Some(at(3)), version: 3, position: 3, ..came("expiring") };
    assert_eq!(told, expected, "an announcement is not a state");
    let expired = then(CertificateEvent::CertificateExpired {});
    assert_eq!(expired, CertificateRow { expired: true, ..came("expired") });
}

#[test]
fn the_status_is_the_most_severe_that_applies() {
    for (row, seconds, status) in [
        (row(), -1, "not_yet_valid"),
        (row(), 0, "active"),
        (row(), 100, "expired"),
        (CertificateRow { expiring: true, ..row() }, 50, "expiring"),
        (CertificateRow { renewed_at: Some(at(2)), expiring: true, ..row() }, 50, "renewed"),
        (CertificateRow { expired: true, ..row() }, 50, "expired"),
        (CertificateRow { revoked_at: Some(at(2)), expired: true, ..row() }, 50, "revoked"),
    ] {
        assert_eq!(row.status_at(at(seconds)), status);
    }
}
