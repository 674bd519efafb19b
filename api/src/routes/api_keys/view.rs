//! API keys in responses; the secret is shown only when a key is created.

use domain::api_key::ApiKey as Key;
use projections::tenant_register::ApiKeyRow;

use crate::auth::Caller;
use crate::prelude::*;

/// An API key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct ApiKey {
    id: Uuid,
    name: String,
    role: String,
    /// `active`, `expired` or `revoked`.
    status: String,
    expires_at: Time,
    /// Absent if the key was never used, or not since the Redis counters were last cleared.
    last_used_at: Option<Time>,
    revoked_at: Option<Time>,
    revoked_reason: Option<String>,
    /// `user:<id>`.
    created_by: String,
    created_at: Time,
}

impl ApiKey {
    /// Returns a key that was just created, from its aggregate, when the read model is late.
    pub fn just_created(id: Uuid, caller: &Caller, known: Key, now: DateTime<Utc>) -> Option<Self> {
        let terms = known.terms?;
        Some(Self {
            id,
            name: terms.name,
            role: terms.access_role.to_string(),
            status: "active".to_owned(),
            expires_at: terms.expires_at.into(),
            last_used_at: None,
            revoked_at: None,
            revoked_reason: None,
            created_by: caller.principal.actor().to_string(),
            created_at: now.into(),
        })
    }
}

/// Returns keys with their status and last use as of now.
pub async fn views_of(state: &State, rows: Vec<ApiKeyRow>) -> Vec<ApiKey> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let (now, uses) = (state.now(), state.limiter.counters().last_uses(&ids).await);
    let shown = |(row, last_used_at): (ApiKeyRow, Option<DateTime<Utc>>)| ApiKey {
        id: row.id,
        status: row.status_at(now).to_owned(),
        name: row.name,
        role: row.access_role,
        expires_at: row.expires_at.into(),
        last_used_at: last_used_at.map(Into::into),
        revoked_at: row.revoked_at.map(Into::into),
        revoked_reason: row.revoked_reason,
        created_by: row.created_by,
        created_at: row.created_at.into(),
    };
    rows.into_iter().zip(uses).map(shown).collect()
}
