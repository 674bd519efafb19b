//! Queries of certificates.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::CertificateRow;
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Lists the certificates of a device; newest first.
pub async fn of_device(reader: &Reader, organization: Uuid, device: Uuid) -> Result<Vec<CertificateRow>, Error> {
    let sql = "SELECT to_jsonb(c) FROM device_certificates c WHERE c.organization_id = $1 AND c.device_id = $2
               ORDER BY c.created_at DESC, c.position DESC, c.id";
    reader.rows("device_certificates", sqlx::query_scalar(sql).bind(organization).bind(device)).await
}

/// Returns a certificate.
pub async fn get(reader: &Reader, organization: Uuid, certificate: Uuid) -> Result<Option<CertificateRow>, Error> {
    let sql = "SELECT to_jsonb(c) FROM device_certificates c WHERE c.organization_id = $1 AND c.id = $2";
    reader.row("device_certificates", sqlx::query_scalar(sql).bind(organization).bind(certificate)).await
}

/// Lists unrevoked certificates that expire before a time; earliest expiry first.
pub async fn ending_before(
    reader: &Reader,
    organization: Uuid,
    before: DateTime<Utc>,
    paging: Paging,
) -> Result<Page<CertificateRow>, Error> {
    let list =
        "SELECT * FROM device_certificates WHERE organization_id = $1 AND revoked_at IS NULL AND valid_until < $2";
    reader
        .page("device_certificates", list, Order::oldest("valid_until"), paging, |query| {
            query.bind(organization).bind(before)
        })
        .await
}

/// A revoked certificate, as a CRL lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Revoked {
    /// Serial number, lower-case hex.
    pub serial_number: String,
    /// When it was revoked.
    pub revoked_at: DateTime<Utc>,
    /// The RFC 5280 reason code.
    pub revoked_code: String,
}

/// Returns the revoked certificates of an organisation that expire after a time, and the log position of the last
/// revocation, 0 if there was none.
pub async fn revoked(
    reader: &Reader,
    organization: Uuid,
    ending_after: DateTime<Utc>,
) -> Result<(Vec<Revoked>, u64), Error> {
    // One statement, so that rows and position are consistent.
    let sql = "SELECT jsonb_build_array(coalesce(jsonb_agg(jsonb_build_object('serial_number', serial_number,
                   'revoked_at', revoked_at, 'revoked_code', coalesce(revoked_code, 'unspecified')) ORDER BY position)
                   FILTER (WHERE valid_until > $2), '[]'), coalesce(max(position), 0))
               FROM device_certificates WHERE organization_id = $1 AND revoked_at IS NOT NULL";
    let found: Option<(Vec<Revoked>, u64)> =
        reader.row("device_certificates", sqlx::query_scalar(sql).bind(organization).bind(ending_after)).await?;
    Ok(found.unwrap_or_default())
}

/// Returns organisation and id of the expiring certificates of all organisations that are not renewed yet; earliest
/// expiry first.
pub async fn unrenewed(reader: &Reader, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid, Uuid)>, Error> {
    let sql = "SELECT jsonb_build_array(organization_id, id) FROM device_certificates
               WHERE expiring AND renewed_at IS NULL AND revoked_at IS NULL AND valid_until > $1
               ORDER BY valid_until, id LIMIT $2";
    reader.rows("device_certificates", sqlx::query_scalar(sql).bind(now).bind(limit)).await
}

/// An expiring certificate that administrators have not been notified of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Unannounced {
    /// The certificate.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its device's name, if known.
    pub device_name: Option<String>,
    /// The device's own serial number.
    pub device_serial_number: Option<String>,
    /// When it expires.
    pub valid_until: DateTime<Utc>,
}

/// Lists the expiring certificates of all organisations that administrators have not been notified of, by organisation
/// and expiry.
pub async fn unannounced(reader: &Reader, now: DateTime<Utc>, limit: i64) -> Result<Vec<Unannounced>, Error> {
    let sql = "SELECT jsonb_build_object('id', c.id, 'organization_id', c.organization_id, 'device_name', d.name,
                   'device_serial_number', d.serial_number, 'valid_until', c.valid_until)
               FROM device_certificates c LEFT JOIN devices d ON d.id = c.device_id
               WHERE c.expiring AND c.announced_at IS NULL AND c.revoked_at IS NULL AND c.valid_until > $1
               ORDER BY c.organization_id, c.valid_until, c.id LIMIT $2";
    reader.rows("device_certificates", sqlx::query_scalar(sql).bind(now).bind(limit)).await
}
