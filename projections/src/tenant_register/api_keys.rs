//! API keys: their rows and the fold of their events. Pure. The last use of a key is no event and is kept in Redis
//! (`rate_limits`).

use chrono::{DateTime, Utc};
use domain::api_key::ApiKeyEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decoded_event::DecodedEvent;
use crate::row_batch::{Row, RowBatch};
use crate::sql_values::enum_text;

/// An API key, with which a machine calls the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// The key.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// `viewer`, `operator`, `engineer`, `admin` or `platform_admin`.
    pub access_role: String,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why it was revoked.
    pub revoked_reason: Option<String>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

impl Row for ApiKeyRow {
    const TABLE: &'static str = "api_keys";

    fn key(&self) -> Uuid {
        self.id
    }
}

impl ApiKeyRow {
    /// Returns `active`, `expired` or `revoked`, at this time.
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
