//! The rows of the tenant register.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationRow {
    /// The organisation.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Why it is suspended.
    pub suspended_reason: Option<String>,
    /// The certificate of its intermediate CA, PEM.
    pub ca_certificate: Option<String>,
    /// That certificate's subject key identifier, lower-case hex.
    pub ca_subject_key_id: Option<String>,
    /// When that certificate expires.
    pub ca_valid_until: Option<DateTime<Utc>>,
    /// When it was founded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for OrganizationRow {
    const TABLE: &'static str = "organizations";

    fn key(&self) -> Uuid {
        self.id
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserRow {
    /// The user.
    pub id: Uuid,
    /// Their organisation.
    pub organization_id: Uuid,
    /// The encrypted e-mail address; absent once erased.
    pub email_sealed: Option<String>,
    /// The encrypted name; absent once erased.
    pub name_sealed: Option<String>,
    /// `viewer`, `operator`, `engineer`, `admin` or `platform_admin`.
    pub access_role: String,
    /// The work roles by which activities are assigned.
    pub work_roles: Vec<String>,
    /// Whether the user has access.
    pub active: bool,
    /// Whether the personal data is erased.
    pub erased: bool,
    /// When a password was last set.
    pub password_set_at: Option<DateTime<Utc>>,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// When they last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for UserRow {
    const TABLE: &'static str = "users";

    fn key(&self) -> Uuid {
        self.id
    }
}
