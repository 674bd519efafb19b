//! Given/when/then tests of organisations.

use OrganizationCommand as C;
use OrganizationEvent as E;
use chrono::DateTime;

use super::*;
use crate::given_when_then::{given, given_no_events};

fn founded() -> E {
    E::OrganizationFounded { name: "Acme".into() }
}

fn authority(id: &str) -> E {
    E::CertificateAuthorityRecorded {
        certificate_pem: format!("pem {id}"),
        subject_key_id: id.into(),
        not_after: DateTime::UNIX_EPOCH,
    }
}

fn record(id: &str) -> C {
    C::RecordCertificateAuthority {
        certificate_pem: format!("pem {id}"),
        subject_key_id: id.into(),
        not_after: DateTime::UNIX_EPOCH,
    }
}

fn suspended() -> E {
    E::OrganizationSuspended { reason: "unpaid".into() }
}

#[test]
fn an_organization_is_founded_once_under_a_trimmed_name() {
    given_no_events::<Organization>().when(C::FoundOrganization { name: " Acme ".into() }).then([founded()]);
    given::<Organization>([founded()])
        .when(C::FoundOrganization { name: "Acme".into() })
        .then_refused(Error::AlreadyExists);
}

#[test]
fn a_name_has_1_to_200_characters() {
    for name in [String::new(), "  ".into(), "x".repeat(201)] {
        given_no_events::<Organization>()
            .when(C::FoundOrganization { name: name.clone() })
            .then_refused(Error::InvalidName);
        given::<Organization>([founded()]).when(C::RenameOrganization { name }).then_refused(Error::InvalidName);
    }
}

#[test]
fn commands_before_founding_are_rejected() {
    let commands = [
        C::RenameOrganization { name: "B".into() },
        record("ab"),
        C::SuspendOrganization { reason: "r".into() },
        C::ReinstateOrganization {},
    ];
    for command in commands {
        given_no_events::<Organization>().when(command).then_refused(Error::NotFound);
    }
}

#[test]
fn a_rename_emits_an_event_only_if_the_name_changes() {
    let acme = given::<Organization>([founded()]);
    acme.when(C::RenameOrganization { name: "Acme 2".into() }).then([E::OrganizationRenamed { name: "Acme 2".into() }]);
    acme.when(C::RenameOrganization { name: "Acme ".into() }).then_no_events();
    given::<Organization>([founded(), E::OrganizationRenamed { name: "Acme 2".into() }])
        .when(C::RenameOrganization { name: "Acme 2".into() })
        .then_no_events();
}

#[test]
fn the_certificate_authority_is_recorded_and_can_be_replaced() {
    given::<Organization>([founded()]).when(record("ab")).then([authority("ab")]);
    given::<Organization>([founded(), authority("ab")]).when(record("ab")).then_no_events();
    given::<Organization>([founded(), authority("ab")]).when(record("cd")).then([authority("cd")]);
}

#[test]
fn an_organization_is_suspended_and_reinstated() {
    let suspend = || C::SuspendOrganization { reason: "unpaid".into() };
    given::<Organization>([founded()]).when(suspend()).then([suspended()]);
    given::<Organization>([founded(), suspended()]).when(suspend()).then_no_events();
    given::<Organization>([founded(), suspended()])
        .when(C::ReinstateOrganization {})
        .then([E::OrganizationReinstated {}]);
    given::<Organization>([founded()]).when(C::ReinstateOrganization {}).then_no_events();
    given::<Organization>([founded(), suspended(), E::OrganizationReinstated {}]).when(suspend()).then([suspended()]);
}

#[test]
fn a_suspended_organization_cannot_be_renamed() {
    given::<Organization>([founded(), suspended()])
        .when(C::RenameOrganization { name: "Other".into() })
        .then_refused(Error::Suspended);
}

#[test]
fn the_certificate_policy_is_validated_and_replaced_as_a_whole() {
    let policy = CertificatePolicy { overlap_days: 0, notice_days: 14, automatic_renewal: true };
    let founded = given::<Organization>([founded()]);
    assert_eq!(founded.state().certificate_policy, CertificatePolicy::default());
    founded.when(C::ChangeCertificatePolicy { policy: CertificatePolicy::default() }).then_no_events();
    founded.when(C::ChangeCertificatePolicy { policy }).then([E::CertificatePolicyChanged { policy }]);
    let days = 366;
    let long = CertificatePolicy { overlap_days: days, ..policy };
    founded.when(C::ChangeCertificatePolicy { policy: long }).then_refused(Error::InvalidOverlap { days, most: 365 });
    for days in [0, 366] {
        let wrong = CertificatePolicy { notice_days: days, ..policy };
        let refusal = Error::InvalidNotice { days, most: 365 };
        founded.when(C::ChangeCertificatePolicy { policy: wrong }).then_refused(refusal);
    }
}

#[test]
fn telemetry_is_kept_for_a_year_unless_another_retention_is_chosen() {
    let founded = given::<Organization>([founded()]);
    assert_eq!(founded.state().telemetry_retention_days(), 365);
    founded.when(C::ChangeTelemetryRetention { days: 365 }).then_no_events();
    for days in [1, 30, 3_650] {
        founded.when(C::ChangeTelemetryRetention { days }).then([E::TelemetryRetentionChanged { days }]);
    }
    for days in [0, 3_651] {
        let refusal = Error::InvalidRetention { days, most: 3_650 };
        founded.when(C::ChangeTelemetryRetention { days }).then_refused(refusal);
    }
}
