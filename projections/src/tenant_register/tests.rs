//! Unit tests of the fold and of its rows.

use domain::EncryptedText;
use domain::api_key::ApiKeyEvent;
use domain::organization::OrganizationEvent;
use domain::user::{AccessRole, UserEvent};

use super::{ApiKeyRow, OrganizationRow, Tenants, UserRow};
use crate::test_events::{ID, at, rows_after};

#[test]
fn each_event_of_an_organisation_changes_its_own_columns() {
    let founded = || OrganizationEvent::OrganizationFounded { name: "Acme".into() };
    let first = rows_after::<Tenants, _>("organization", &[founded()]).organizations.get(ID).cloned().unwrap();
    assert_eq!((first.name.as_str(), first.status.as_str()), ("Acme", "active"));
    let two = OrganizationRow { updated_at: at(2), version: 2, position: 2, ..first };
    let authority = OrganizationEvent::CertificateAuthorityRecorded {
        certificate_pem: "pem".into(),
        subject_key_id: "0a".into(),
        not_after: at(99),
    };
    let with_authority = OrganizationRow {
        ca_certificate: Some("pem".into()),
        ca_subject_key_id: Some("0a".into()),
        ca_valid_until: Some(at(99)),
        ..two.clone()
    };
    let suspended =
        OrganizationRow { status: "suspended".into(), suspended_reason: Some("unpaid".into()), ..two.clone() };
    for (event, expected) in [
        (
            OrganizationEvent::OrganizationRenamed { name: "Other".into() },
            OrganizationRow { name: "Other".into(), ..two.clone() },
        ),
        (authority, with_authority),
        (OrganizationEvent::OrganizationSuspended { reason: "unpaid".into() }, suspended),
        (OrganizationEvent::OrganizationReinstated {}, two.clone()),
    ] {
        let rows = rows_after::<Tenants, _>("organization", &[founded(), event]);
        assert_eq!(rows.organizations.get(ID), Some(&expected));
    }
}

#[test]
fn each_event_of_a_user_changes_its_own_columns() {
    let registered = || UserEvent::UserRegistered {
        email: EncryptedText("address".into()),
        name: EncryptedText("name".into()),
        access_role: AccessRole::Viewer,
        work_roles: vec![],
    };
    let first = rows_after::<Tenants, _>("user", &[registered()]).users.get(ID).cloned().unwrap();
    assert_eq!((first.access_role.as_str(), first.active, first.erased), ("viewer", true, false));
    let two = UserRow { updated_at: at(2), version: 2, position: 2, ..first };
    let roles = vec!["engineer".to_owned()];
    for (event, expected) in [
        (
            UserEvent::UserRenamed { name: EncryptedText("other".into()) },
            UserRow { name_sealed: Some("other".into()), ..two.clone() },
        ),
        (UserEvent::UserPasswordSet {}, UserRow { password_set_at: Some(at(2)), ..two.clone() }),
        (
            UserEvent::UserAccessRoleChanged { access_role: AccessRole::PlatformAdmin },
            UserRow { access_role: "platform_admin".into(), ..two.clone() },
        ),
        (UserEvent::UserWorkRolesChanged { work_roles: roles.clone() }, UserRow { work_roles: roles, ..two.clone() }),
        (UserEvent::UserDeactivated { reason: "left".into() }, UserRow { active: false, ..two.clone() }),
        (UserEvent::UserReactivated {}, two.clone()),
        (UserEvent::UserErased {}, UserRow { erased: true, email_sealed: None, name_sealed: None, ..two.clone() }),
    ] {
        assert_eq!(rows_after::<Tenants, _>("user", &[registered(), event]).users.get(ID), Some(&expected));
    }
}

#[test]
fn a_key_is_active_until_it_expires_or_is_revoked() {
    let created = || ApiKeyEvent::ApiKeyCreated {
        name: "Dashboard".into(),
        access_role: AccessRole::Viewer,
        digest: "ab".into(),
        expires_at: at(50),
    };
    let first = rows_after::<Tenants, _>("api_key", &[created()]).api_keys.get(ID).cloned().unwrap();
    assert_eq!((first.name.as_str(), first.access_role.as_str()), ("Dashboard", "viewer"));
    assert_eq!((first.status_at(at(49)), first.status_at(at(50))), ("active", "expired"));
    let revoked =
        rows_after::<Tenants, _>("api_key", &[created(), ApiKeyEvent::ApiKeyRevoked { reason: "leaked".into() }]);
    let expected = ApiKeyRow {
        revoked_at: Some(at(2)),
        revoked_reason: Some("leaked".into()),
        updated_at: at(2),
        version: 2,
        position: 2,
        ..first
    };
    assert_eq!(revoked.api_keys.get(ID), Some(&expected));
    assert_eq!(expected.status_at(at(49)), "revoked");
}
