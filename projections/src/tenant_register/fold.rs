//! Folds domain events into rows of organisations, users and API keys. Pure.

use domain::AnyEvent;
use domain::organization::OrganizationEvent;
use domain::user::UserEvent;
use eventlog::Stream;

use super::{ApiKeyRow, OrganizationRow, UserRow, api_keys};
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::enum_text;

/// The fold of organisations, users and API keys.
pub struct Tenants;

/// The rows that a batch has loaded, by table.
#[derive(Default)]
pub struct Rows {
    pub(crate) organizations: RowBatch<OrganizationRow>,
    pub(crate) users: RowBatch<UserRow>,
    pub(crate) api_keys: RowBatch<ApiKeyRow>,
}

impl Fold for Tenants {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["organizations", "users", "api_keys"];
    type Rows = Rows;

    fn row_batches(rows: &mut Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![&mut rows.organizations, &mut rows.users, &mut rows.api_keys]
    }

    fn request_rows(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::Organization(_) => rows.organizations.request(decoded.id),
            AnyEvent::User(_) => rows.users.request(decoded.id),
            AnyEvent::ApiKey(_) => rows.api_keys.request(decoded.id),
            _ => {}
        }
    }

    fn fold(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::Organization(event) => fold_organization(&mut rows.organizations, decoded, event),
            AnyEvent::User(event) => fold_user(&mut rows.users, decoded, event),
            AnyEvent::ApiKey(event) => api_keys::fold(&mut rows.api_keys, decoded, event),
            _ => {}
        }
    }
}

fn fold_organization(organizations: &mut RowBatch<OrganizationRow>, decoded: &DecodedEvent, event: &OrganizationEvent) {
    let mut update = |change: &dyn Fn(&mut OrganizationRow)| {
        organizations.update(decoded.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    };
    match event {
        OrganizationEvent::OrganizationFounded { name } => organizations.upsert(founded(name, decoded)),
        OrganizationEvent::OrganizationRenamed { name } => update(&|row| row.name.clone_from(name)),
        OrganizationEvent::CertificateAuthorityRecorded { certificate_pem, subject_key_id, not_after } => {
            update(&|row| {
                row.ca_certificate = Some(certificate_pem.clone());
                row.ca_subject_key_id = Some(subject_key_id.clone());
                row.ca_valid_until = Some(*not_after);
            });
        }
        OrganizationEvent::CertificatePolicyChanged { .. }
        | OrganizationEvent::TelemetryRetentionChanged { .. }
        | OrganizationEvent::WebhookSecretReplaced {} => update(&|_| {}),
        OrganizationEvent::OrganizationSuspended { reason } => update(&|row| {
            row.status = "suspended".into();
            row.suspended_reason = Some(reason.clone());
        }),
        OrganizationEvent::OrganizationReinstated {} => update(&|row| {
            row.status = "active".into();
            row.suspended_reason = None;
        }),
    }
}

fn founded(name: &str, decoded: &DecodedEvent) -> OrganizationRow {
    OrganizationRow {
        id: decoded.id,
        name: name.to_owned(),
        status: "active".into(),
        suspended_reason: None,
        ca_certificate: None,
        ca_subject_key_id: None,
        ca_valid_until: None,
        created_at: decoded.recorded_at(),
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    }
}

fn fold_user(users: &mut RowBatch<UserRow>, decoded: &DecodedEvent, event: &UserEvent) {
    let mut update = |change: &dyn Fn(&mut UserRow)| {
        users.update(decoded.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    };
    match event {
        UserEvent::UserRegistered { email, name, access_role, work_roles } => users.upsert(UserRow {
            id: decoded.id,
            organization_id: decoded.organization,
            email_sealed: Some(email.0.clone()),
            name_sealed: Some(name.0.clone()),
            access_role: enum_text(access_role),
            work_roles: work_roles.clone(),
            active: true,
            erased: false,
            password_set_at: None,
            created_at: decoded.recorded_at(),
            updated_at: decoded.recorded_at(),
            version: decoded.version,
            position: decoded.position,
        }),
        UserEvent::UserRenamed { name } => update(&|row| row.name_sealed = Some(name.0.clone())),
        UserEvent::UserPasswordSet {} => update(&|row| row.password_set_at = Some(decoded.recorded_at())),
        UserEvent::UserAccessRoleChanged { access_role } => update(&|row| row.access_role = enum_text(access_role)),
        UserEvent::UserWorkRolesChanged { work_roles } => update(&|row| row.work_roles.clone_from(work_roles)),
        UserEvent::UserDeactivated { .. } => update(&|row| row.active = false),
        UserEvent::UserReactivated {} => update(&|row| row.active = true),
        UserEvent::UserErased {} => update(&|row| {
            row.erased = true;
            (row.email_sealed, row.name_sealed) = (None, None);
        }),
    }
}
