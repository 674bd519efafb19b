//! Lists the certificates of a device.

use projections::certificate_register::{CertificateRow, read};

use super::view::find;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A certificate; its key is with the device alone.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Certificate {
    id: Uuid,
    device_id: Uuid,
    /// PEM.
    certificate: String,
    serial_number: String,
    fingerprint_sha256: String,
    /// `valid`, `expiring`, `expired`, `not_yet_valid` or `revoked`.
    status: String,
    valid_from: Time,
    valid_until: Time,
    revoked_at: Option<Time>,
    revoked_reason: Option<String>,
    revoked_code: Option<String>,
    created_at: Time,
    created_by: String,
}

/// All of them, the newest first.
#[derive(Object)]
struct Certificates {
    certificates: Vec<Certificate>,
}

impl Certificate {
    fn at(row: CertificateRow, now: DateTime<Utc>) -> Self {
        Self {
            status: row.status_at(now).to_owned(),
            id: row.id,
            device_id: row.device_id,
            certificate: row.certificate,
            serial_number: row.serial_number,
            fingerprint_sha256: row.fingerprint_sha256,
            valid_from: row.valid_from.into(),
            valid_until: row.valid_until.into(),
            revoked_at: row.revoked_at.map(Into::into),
            revoked_reason: row.revoked_reason,
            revoked_code: row.revoked_code,
            created_at: row.created_at.into(),
            created_by: row.created_by,
        }
    }
}

#[OpenApi]
impl Api {
    /// List the certificates of a device
    #[oai(path = "/devices/:id/certificates", method = "get", tag = "Tag::Devices", operation_id = "listCertificates")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Json<Certificates>, Problem> {
        find(&state, &caller, id.0).await?;
        let rows = read::of_device(&state.reader, caller.organization.0, id.0).await?;
        let now = state.now();
        Ok(Json(Certificates { certificates: rows.into_iter().map(|row| Certificate::at(row, now)).collect() }))
    }
}
