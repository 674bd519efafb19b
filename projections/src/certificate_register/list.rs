//! Lists the certificates of an organisation, by device, status and validity at a time, in pages.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::CertificateRow;
use crate::{Error, Reader};

/// Filters a list of certificates; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFilter {
    /// Of this device.
    pub device_id: Option<Uuid>,
    /// In this state now, as [`CertificateRow::status_at`] names it.
    pub status: Option<String>,
    /// Usable at this time: issued by then, within its validity, and not yet revoked.
    pub valid_at: Option<DateTime<Utc>>,
}

/// The end of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last certificate of the page was issued.
    pub created_at: DateTime<Utc>,
    /// The last certificate of the page.
    pub id: Uuid,
}

/// The status of a row at the time `$2`; must equal `CertificateRow::status_at`.
const STATUS: &str = "CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expired OR $2 >= valid_until THEN 'expired'
    WHEN $2 < valid_from THEN 'not_yet_valid' WHEN renewed_at IS NOT NULL THEN 'renewed' WHEN expiring THEN 'expiring'
    ELSE 'active' END";

/// Lists certificates; newest first, starting after a cursor.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &CertificateFilter,
    now: DateTime<Utc>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<CertificateRow>, Error> {
    let sql = format!(
        "SELECT to_jsonb(c) FROM device_certificates c WHERE organization_id = $1
             AND ($3::uuid IS NULL OR device_id = $3)
             AND ($4::text IS NULL OR {STATUS} = $4)
             AND ($5::timestamptz IS NULL OR (created_at <= $5 AND valid_from <= $5 AND valid_until >= $5
                 AND (revoked_at IS NULL OR revoked_at > $5)))
             AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7))
         ORDER BY created_at DESC, id DESC LIMIT $8"
    );
    let query = sqlx::query_scalar(&sql)
        .bind(organization)
        .bind(now)
        .bind(filter.device_id)
        .bind(filter.status.clone())
        .bind(filter.valid_at)
        .bind(after.map(|cursor| cursor.created_at))
        .bind(after.map(|cursor| cursor.id))
        .bind(limit.clamp(1, 1_001));
    reader.rows("device_certificates", query).await
}
