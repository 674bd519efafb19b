//! Given, when, then.

use domain::certificate::{CertificateEvent, RevocationCode};
use domain::ids::DeviceId;
use uuid::Uuid;

use super::{CertificateRow, Certificates};
use crate::given::{ID, ORGANIZATION, USER, after, at};

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
        expired: false,
        revoked_at: None,
        revoked_reason: None,
        revoked_code: None,
        created_at: at(1),
        created_by: format!("user:{USER}"),
        version: 1,
        position: 1,
    }
}

fn then(event: CertificateEvent) -> CertificateRow {
    after::<Certificates, _>("certificate", &[issued(), event]).get(ID).cloned().unwrap()
}

#[test]
fn each_event_changes_its_own_columns() {
    let at_two = CertificateRow { version: 2, position: 2, ..row() };
    assert_eq!(after::<Certificates, _>("certificate", &[issued()]).get(ID), Some(&row()));
    let revoked = CertificateEvent::CertificateRevoked { reason: "lost".into(), code: RevocationCode::KeyCompromise };
    let expected = CertificateRow {
        revoked_at: Some(at(2)),
        revoked_reason: Some("lost".into()),
        revoked_code: Some("key_compromise".into()),
        ..at_two.clone()
    };
    assert_eq!(then(revoked), expected);
    let expiring = then(CertificateEvent::CertificateExpiring {});
    assert_eq!(expiring, CertificateRow { expiring: true, ..at_two.clone() });
    assert_eq!(then(CertificateEvent::CertificateExpired {}), CertificateRow { expired: true, ..at_two });
}

#[test]
fn the_status_is_the_gravest_that_holds() {
    for (row, seconds, status) in [
        (row(), -1, "not_yet_valid"),
        (row(), 0, "valid"),
        (row(), 100, "expired"),
        (CertificateRow { expiring: true, ..row() }, 50, "expiring"),
        (CertificateRow { expired: true, ..row() }, 50, "expired"),
        (CertificateRow { revoked_at: Some(at(2)), expired: true, ..row() }, 50, "revoked"),
    ] {
        assert_eq!(row.status_at(at(seconds)), status);
    }
}
