//! Lists the certificates of a device.

use projections::certificate_register::read;

use super::view::find;
use crate::prelude::*;
use crate::routes::certificates::view::Certificate;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// All of them, the newest first.
#[derive(Object)]
struct Certificates {
    /// `pending` while the device has no certificate yet; then the state of the newest.
    status: String,
    certificates: Vec<Certificate>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// List the certificates of a device
    ///
    /// Each with the states it came through; every transition is an event.
    #[oai(path = "/devices/:id/certificates", method = "get", tag = "Tag::Devices", operation_id = "listCertificates")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Certificates>, Problem> {
        let paging = InMemoryPaging::new(limit, offset, &cursor)?;
        find(&state, &caller, id.0).await?;
        let rows = read::of_device(&state.reader, caller.organization.0, id.0).await?;
        let now = state.now();
        let status =
            rows.iter().max_by_key(|row| row.created_at).map_or("pending", |row| row.status_at(now)).to_owned();
        let (rows, total, next_cursor) = paging.page(rows, |row| row.id)?;
        let certificates = rows.into_iter().map(|row| Certificate::at(row, now)).collect();
        Ok(Json(Certificates { status, certificates, total, next_cursor }))
    }
}
