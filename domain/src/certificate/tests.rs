//! Given/when/then tests of certificates.

use CertificateCommand as C;
use CertificateEvent as E;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::{CertificateId, DeviceId};

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(7));

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn issue(not_after: DateTime<Utc>) -> C {
    C::IssueCertificate {
        device_id: DEVICE,
        serial_number: "0a".into(),
        certificate_pem: "pem".into(),
        fingerprint_sha256: "ff".into(),
        not_before: at(10),
        not_after,
    }
}

fn issued() -> E {
    E::CertificateIssued {
        device_id: DEVICE,
        serial_number: "0a".into(),
        certificate_pem: "pem".into(),
        fingerprint_sha256: "ff".into(),
        not_before: at(10),
        not_after: at(20),
    }
}

fn revoke(code: RevocationCode) -> C {
    C::RevokeCertificate { reason: "lost".into(), code }
}

fn revoked() -> E {
    E::CertificateRevoked { reason: "lost".into(), code: RevocationCode::KeyCompromise }
}

#[test]
fn a_certificate_is_issued_once() {
    given_no_events::<Certificate>().when(issue(at(20))).then([issued()]);
    given::<Certificate>([issued()]).when(issue(at(20))).then_refused(Error::AlreadyIssued);
}

#[test]
fn the_end_of_validity_must_be_after_its_start() {
    for end in [at(10), at(9)] {
        given_no_events::<Certificate>().when(issue(end)).then_refused(Error::InvalidWindow);
    }
}

#[test]
fn commands_before_issuance_are_rejected() {
    for command in [renew(1, None), revoke(RevocationCode::Unspecified), C::NoteExpiring {}, C::NoteExpired {}] {
        given_no_events::<Certificate>().when(command).then_refused(Error::NotFound);
    }
}

fn renewed(successor: u128, overlap_ends_at: Option<DateTime<Utc>>) -> E {
    E::CertificateRenewed { successor: CertificateId(Uuid::from_u128(successor)), overlap_ends_at }
}

fn renew(successor: u128, overlap_ends_at: Option<DateTime<Utc>>) -> C {
    C::NoteRenewed { successor: CertificateId(Uuid::from_u128(successor)), overlap_ends_at }
}

#[test]
fn a_running_overlap_is_not_changed_by_later_renewals() {
    let fresh = given::<Certificate>([issued()]);
    fresh.when(renew(1, Some(at(15)))).then([renewed(1, Some(at(15)))]);
    fresh.when(renew(1, None)).then([renewed(1, None)]);
    let waiting = given::<Certificate>([issued(), renewed(1, None)]);
    waiting.when(renew(1, None)).then_no_events();
    waiting.when(renew(1, Some(at(15)))).then([renewed(1, Some(at(15)))]);
    given::<Certificate>([issued(), renewed(1, Some(at(15)))]).when(renew(2, Some(at(18)))).then_no_events();
    for over in [revoked(), E::CertificateExpired {}] {
        given::<Certificate>([issued(), over]).when(renew(1, Some(at(15)))).then_no_events();
    }
}

#[test]
fn a_certificate_is_revoked_once_for_one_reason() {
    given::<Certificate>([issued()]).when(revoke(RevocationCode::KeyCompromise)).then([revoked()]);
    let gone = given::<Certificate>([issued(), revoked()]);
    gone.when(revoke(RevocationCode::KeyCompromise)).then_no_events();
    gone.when(revoke(RevocationCode::Superseded)).then_refused(Error::AlreadyRevoked);
}

#[test]
fn coming_expiry_and_expiry_are_recorded_once() {
    let fresh = given::<Certificate>([issued()]);
    fresh.when(C::NoteExpiring {}).then([E::CertificateExpiring {}]);
    fresh.when(C::NoteExpired {}).then([E::CertificateExpired {}]);
    given::<Certificate>([issued(), E::CertificateExpiring {}]).when(C::NoteExpiring {}).then_no_events();
    given::<Certificate>([issued(), E::CertificateExpiring {}])
        .when(C::NoteExpired {})
        .then([E::CertificateExpired {}]);
    given::<Certificate>([issued(), E::CertificateExpired {}]).when(C::NoteExpired {}).then_no_events();
    given::<Certificate>([issued(), E::CertificateExpired {}]).when(C::NoteExpiring {}).then_no_events();
}

#[test]
fn expiry_of_a_revoked_certificate_is_not_recorded_and_an_expired_one_can_be_revoked() {
    for command in [C::NoteExpiring {}, C::NoteExpired {}] {
        given::<Certificate>([issued(), revoked()]).when(command).then_no_events();
    }
    given::<Certificate>([issued(), E::CertificateExpired {}])
        .when(revoke(RevocationCode::KeyCompromise))
        .then([revoked()]);
}

#[test]
fn the_coming_expiry_is_announced_once_and_only_while_it_is_relevant() {
    let (tell, told) = (|| C::NoteAnnounced { recipients: 2 }, || E::CertificateExpiryAnnounced { recipients: 2 });
    given_no_events::<Certificate>().when(tell()).then_refused(Error::NotFound);
    given::<Certificate>([issued()]).when(tell()).then_no_events();
    let expiring = given::<Certificate>([issued(), E::CertificateExpiring {}]);
    expiring.when(tell()).then([told()]);
    given::<Certificate>([issued(), E::CertificateExpiring {}, told()]).when(tell()).then_no_events();
    given::<Certificate>([issued(), E::CertificateExpiring {}, revoked()]).when(tell()).then_no_events();
}
