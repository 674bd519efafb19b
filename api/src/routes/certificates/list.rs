//! Lists certificates, optionally those with which a device could connect at a given time.

use projections::certificate_register::list::{self, CertificateFilter, Cursor};

use super::view::Certificate;
use crate::prelude::*;
use crate::time;

/// Default and maximum page size.
const USUAL: i64 = 50;
const MOST: i64 = 1_000;
/// The accepted values of `status`.
const STATES: [&str; 6] = ["active", "expiring", "renewed", "expired", "not_yet_valid", "revoked"];

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// One page of the list, newest first.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct CertificateList {
    certificates: Vec<Certificate>,
    /// The `cursor` of the next page; absent on the last page.
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// List certificates
    ///
    /// `validAt` selects certificates with which a device could connect at that time: already issued, within their
    /// validity and not yet revoked. `status` filters by the current state.
    #[oai(path = "/certificates", method = "get", tag = "Tag::Certificates", operation_id = "listAllCertificates")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the request")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// The certificate is valid from `validFrom` to `validUntil`, both inclusive, as in X.509; when it is revoked, it
        /// is no longer valid.
        #[oai(name = "validAt")]
        valid_at: Query<Option<Time>>,
        #[oai(name = "deviceId")] device_id: Query<Option<Uuid>>,
        status: Query<Option<String>>,
        cursor: Query<Option<String>>,
        limit: Query<Option<i64>>,
    ) -> Result<Json<CertificateList>, Problem> {
        if status.0.as_deref().is_some_and(|status| !STATES.contains(&status)) {
            return Err(Problem::parameter("status", format_args!("must be one of {}", STATES.join(", "))));
        }
        let limit = limit.0.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::parameter("limit", format_args!("must be from 1 to {MOST}")));
        }
        let after = cursor.0.as_deref().map(read_cursor).transpose()?;
        let valid_at = valid_at.0.map(|time| time.0);
        let filter = CertificateFilter { device_id: device_id.0, status: status.0, valid_at };
        let (organization, now) = (caller.organization.0, state.now());
        // Reading one extra row tells whether there is a next page.
        let mut rows = list::list(&state.reader, organization, &filter, now, after, limit + 1).await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| format!("{}_{}", row.created_at.timestamp_micros(), row.id.simple()));
        let certificates = rows.into_iter().map(|row| Certificate::at(row, now)).collect();
        Ok(Json(CertificateList { certificates, next_cursor }))
    }
}

fn read_cursor(text: &str) -> Result<Cursor, Problem> {
    let read = || {
        let (micros, id) = text.split_once('_')?;
        Some(Cursor { created_at: time::of_micros(micros)?, id: id.parse().ok()? })
    };
    read().ok_or_else(|| Problem::parameter("cursor", "is not the nextCursor of a list"))
}
