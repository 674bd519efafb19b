//! Domain events into rows of organisations, people and keys. Pure.

use domain::AnyEvent;
use domain::organization::OrganizationEvent;
use domain::user::UserEvent;
use eventlog::Stream;

use super::{ApiKeyRow, OrganizationRow, UserRow, api_keys};
use crate::fact::{Fact, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of organisations and people.
pub struct Tenants;

/// The rows in hand.
#[derive(Default)]
pub struct Sheets {
    pub(crate) organizations: Sheet<OrganizationRow>,
    pub(crate) users: Sheet<UserRow>,
    pub(crate) api_keys: Sheet<ApiKeyRow>,
}

impl Fold for Tenants {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["organizations", "users", "api_keys"];
    type Sheets = Sheets;

    fn sheets(sheets: &mut Sheets) -> Vec<&mut dyn AnySheet> {
        vec![&mut sheets.organizations, &mut sheets.users, &mut sheets.api_keys]
    }

    fn touch(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::Organization(_) => sheets.organizations.want(fact.id),
            AnyEvent::User(_) => sheets.users.want(fact.id),
            AnyEvent::ApiKey(_) => sheets.api_keys.want(fact.id),
            _ => {}
        }
    }

    fn fold(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::Organization(event) => fold_organization(&mut sheets.organizations, fact, event),
            AnyEvent::User(event) => fold_user(&mut sheets.users, fact, event),
            AnyEvent::ApiKey(event) => api_keys::fold(&mut sheets.api_keys, fact, event),
            _ => {}
        }
    }
}

fn fold_organization(organizations: &mut Sheet<OrganizationRow>, fact: &Fact, event: &OrganizationEvent) {
    let mut change = |change: &dyn Fn(&mut OrganizationRow)| {
        organizations.change(fact.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    };
    match event {
        OrganizationEvent::OrganizationFounded { name } => organizations.put(founded(name, fact)),
        OrganizationEvent::OrganizationRenamed { name } => change(&|row| row.name.clone_from(name)),
        OrganizationEvent::CertificateAuthorityRecorded { certificate_pem, subject_key_id, not_after } => {
            change(&|row| {
                row.ca_certificate = Some(certificate_pem.clone());
                row.ca_subject_key_id = Some(subject_key_id.clone());
                row.ca_valid_until = Some(*not_after);
            });
        }
        OrganizationEvent::CertificatePolicyChanged { .. }
        | OrganizationEvent::TelemetryRetentionChanged { .. }
        | OrganizationEvent::WebhookSecretReplaced {} => change(&|_| {}),
        OrganizationEvent::OrganizationSuspended { reason } => change(&|row| {
            row.status = "suspended".into();
            row.suspended_reason = Some(reason.clone());
        }),
        OrganizationEvent::OrganizationReinstated {} => change(&|row| {
            row.status = "active".into();
            row.suspended_reason = None;
        }),
    }
}

fn founded(name: &str, fact: &Fact) -> OrganizationRow {
    OrganizationRow {
        id: fact.id,
        name: name.to_owned(),
        status: "active".into(),
        suspended_reason: None,
        ca_certificate: None,
        ca_subject_key_id: None,
        ca_valid_until: None,
        created_at: fact.at(),
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    }
}

fn fold_user(users: &mut Sheet<UserRow>, fact: &Fact, event: &UserEvent) {
    let mut change = |change: &dyn Fn(&mut UserRow)| {
        users.change(fact.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    };
    match event {
        UserEvent::UserRegistered { email, name, access_role, work_roles } => users.put(UserRow {
            id: fact.id,
            organization_id: fact.organization,
            email_sealed: Some(email.0.clone()),
            name_sealed: Some(name.0.clone()),
            access_role: text_of(access_role),
            work_roles: work_roles.clone(),
            active: true,
            erased: false,
            password_set_at: None,
            created_at: fact.at(),
            updated_at: fact.at(),
            version: fact.version,
            position: fact.position,
        }),
        UserEvent::UserRenamed { name } => change(&|row| row.name_sealed = Some(name.0.clone())),
        UserEvent::UserPasswordSet {} => change(&|row| row.password_set_at = Some(fact.at())),
        UserEvent::UserAccessRoleChanged { access_role } => change(&|row| row.access_role = text_of(access_role)),
        UserEvent::UserWorkRolesChanged { work_roles } => change(&|row| row.work_roles.clone_from(work_roles)),
        UserEvent::UserDeactivated { .. } => change(&|row| row.active = false),
        UserEvent::UserReactivated {} => change(&|row| row.active = true),
        UserEvent::UserErased {} => change(&|row| {
            row.erased = true;
            (row.email_sealed, row.name_sealed) = (None, None);
        }),
    }
}
