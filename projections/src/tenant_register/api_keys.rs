//! Keys of machines: their rows, and domain events into them. Pure. When a key was last used stands in Redis
//! (`rate_limits`), since that is no event.

use chrono::{DateTime, Utc};
use domain::api_key::ApiKeyEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decoded_event::DecodedEvent;
use crate::row_batch::{Row, RowBatch};
use crate::sql_values::enum_text;

/// A key by which a machine calls the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// The key.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// What people know it by.
    pub name: String,
    /// `viewer`, `operator`, `engineer`, `admin` or `platform_admin`.
    pub access_role: String,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why.
    pub revoked_reason: Option<String>,
    /// Who made it, such as `user:<id>`.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES` of the last change.
    pub position: i64,
}

impl Row for ApiKeyRow {
    const TABLE: &'static str = "api_keys";

    fn key(&self) -> Uuid {
        self.id
    }
}

impl ApiKeyRow {
    /// Returns `active`, `expired` or `revoked`, as it is at this time.
    pub fn status_at(&self, now: DateTime<Utc>) -> &'static str {
        match self.revoked_at {
            Some(_) => "revoked",
            None if self.expires_at <= now => "expired",
            None => "active",
        }
    }
}

/// Folds one event.
pub(super) fn fold(keys: &mut RowBatch<ApiKeyRow>, decoded: &DecodedEvent, event: &ApiKeyEvent) {
    match event {
        ApiKeyEvent::ApiKeyCreated { name, access_role, expires_at, .. } => keys.upsert(ApiKeyRow {
            id: decoded.id,
            organization_id: decoded.organization,
            name: name.clone(),
            access_role: enum_text(access_role),
            expires_at: *expires_at,
            revoked_at: None,
            revoked_reason: None,
            created_by: decoded.actor(),
            created_at: decoded.recorded_at(),
            updated_at: decoded.recorded_at(),
            version: decoded.version,
            position: decoded.position,
        }),
        ApiKeyEvent::ApiKeyRevoked { reason } => keys.update(decoded.id, |row| {
            row.revoked_at = Some(decoded.recorded_at());
            row.revoked_reason = Some(reason.clone());
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        }),
    }
}
