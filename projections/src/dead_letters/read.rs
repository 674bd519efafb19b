//! Queries of dead letters.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// A dead letter with the decision about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// The letter.
    #[serde(flatten)]
    pub row: super::LetterRow,
    /// `open`, `redriven` or `discarded`.
    pub status: String,
    /// When it was decided.
    pub settled_at: Option<DateTime<Utc>>,
    /// Who decided.
    pub settled_by: Option<String>,
    /// The comment of the decision.
    pub comment: Option<String>,
}

/// Filters a list of dead letters; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LetterFilter {
    /// Rejected by this stage.
    pub stage: Option<String>,
    /// Rejected for this reason.
    pub reason: Option<String>,
    /// Of this device.
    pub device: Option<Uuid>,
    /// `open`, `redriven` or `discarded`.
    pub status: Option<String>,
    /// Received at or after.
    pub from: Option<DateTime<Utc>>,
    /// Received before.
    pub until: Option<DateTime<Utc>>,
}

const LETTERS: &str = "SELECT l.*, coalesce(s.status, 'open') AS status, s.settled_at, s.settled_by, s.comment
     FROM dead_letters l LEFT JOIN dead_letters_settled s USING (id)
     WHERE (l.organization_id = $1 OR ($2 AND l.organization_id IS NULL))";

/// Lists letters of an organisation; newest first; with `unassigned`, also those without an organisation.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    unassigned: bool,
    filter: &LetterFilter,
    paging: Paging,
) -> Result<Page<Letter>, Error> {
    let list = format!(
        "SELECT * FROM ({LETTERS}) letters
         WHERE ($3::text IS NULL OR stage = $3) AND ($4::text IS NULL OR reason = $4)
            AND ($5::uuid IS NULL OR device_id = $5) AND ($6::text IS NULL OR status = $6)
            AND ($7::timestamptz IS NULL OR received_at >= $7) AND ($8::timestamptz IS NULL OR received_at < $8)"
    );
    let page = reader.page("dead_letters", &list, Order::newest("received_at"), paging, |query| {
        query
            .bind(organization)
            .bind(unassigned)
            .bind(filter.stage.clone())
            .bind(filter.reason.clone())
            .bind(filter.device)
            .bind(filter.status.clone())
            .bind(filter.from)
            .bind(filter.until)
    });
    page.await
}

/// Returns a letter of an organisation; with `unassigned`, also one without an organisation.
pub async fn get(reader: &Reader, organization: Uuid, unassigned: bool, id: Uuid) -> Result<Option<Letter>, Error> {
    let sql = format!("SELECT to_jsonb(letters) FROM ({LETTERS} AND l.id = $3) letters");
    reader.row("dead_letters", sqlx::query_scalar(&sql).bind(organization).bind(unassigned).bind(id)).await
}
