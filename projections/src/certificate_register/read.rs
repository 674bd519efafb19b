//! Questions about certificates.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::CertificateRow;
use crate::{Error, Page, Paging, Reader};

/// Lists the certificates of a device, the newest first.
pub async fn of_device(reader: &Reader, organization: Uuid, device: Uuid) -> Result<Vec<CertificateRow>, Error> {
    let sql = "SELECT to_jsonb(c) FROM device_certificates c WHERE c.organization_id = $1 AND c.device_id = $2
               ORDER BY c.position DESC, c.id";
    reader.rows("device_certificates", sqlx::query_scalar(sql).bind(organization).bind(device)).await
}

/// Returns a certificate.
pub async fn get(reader: &Reader, organization: Uuid, certificate: Uuid) -> Result<Option<CertificateRow>, Error> {
    let sql = "SELECT to_jsonb(c) FROM device_certificates c WHERE c.organization_id = $1 AND c.id = $2";
    reader.row("device_certificates", sqlx::query_scalar(sql).bind(organization).bind(certificate)).await
}

/// Lists certificates that are not revoked and end before a time, the next to end first.
pub async fn ending_before(
    reader: &Reader,
    organization: Uuid,
    before: DateTime<Utc>,
    paging: Paging,
) -> Result<Page<CertificateRow>, Error> {
    let list =
        "SELECT * FROM device_certificates WHERE organization_id = $1 AND revoked_at IS NULL AND valid_until < $2";
    reader
        .page("device_certificates", list, "valid_until, id", paging, |query| query.bind(organization).bind(before))
        .await
}
