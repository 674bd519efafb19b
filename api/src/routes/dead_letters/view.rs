//! Dead letters in responses.

use domain::user::AccessRole;
use projections::dead_letters::read::{self, Letter};

use crate::auth::Caller;
use crate::prelude::*;

/// A rejected message.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DeadLetter {
    id: Uuid,
    /// The stage that rejected it: `ingest`, `normalizer`, …
    stage: String,
    /// The reason as a stable code: `unknown_device`, `malformed_json`, `clock_too_late`, …
    reason: String,
    /// The reason in words.
    detail: String,
    /// The topic or subject it arrived on.
    subject: String,
    device_id: Option<Uuid>,
    received_at: Time,
    /// The payload as text, or as `base64:…` if it is not UTF-8; truncated at 4,096 bytes.
    payload: String,
    /// `open`, `redriven` or `discarded`.
    status: String,
    settled_at: Option<Time>,
    settled_by: Option<String>,
    comment: Option<String>,
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> Self {
        let Letter { row, status, settled_at, settled_by, comment } = letter;
        Self {
            id: row.id,
            stage: row.stage,
            reason: row.reason,
            detail: row.detail,
            subject: row.subject,
            device_id: row.device_id,
            received_at: row.received_at.into(),
            payload: row.payload,
            status,
            settled_at: settled_at.map(Time::from),
            settled_by,
            comment,
        }
    }
}

/// Returns whether the caller sees letters that belong to no organisation: only platform administrators do.
pub fn sees_unassigned(caller: &Caller) -> bool {
    caller.role == AccessRole::PlatformAdmin
}

/// Returns a letter that the caller can see.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<Letter, Problem> {
    let found = read::get(&state.reader, caller.organization.0, sees_unassigned(caller), id).await?;
    found.ok_or_else(|| Problem::not_found("dead letter"))
}
