//! Lists the certificates of a device.

use projections::certificate_register::read;

use super::view::find;
use crate::prelude::*;
use crate::routes::certificates::view::Certificate;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the certificates, newest first.
    Certificates(
        /// `pending` until the device has a certificate; then the status of the newest.
        status: String
    ) { certificates: Certificate }
}

#[OpenApi]
impl Api {
    /// List the certificates of a device
    ///
    /// Each certificate has its state transitions; every transition is an event.
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
        let page = paging.page(rows, |row| row.id)?;
        Ok(Json(Certificates::new(status, page.map(|row| Certificate::at(row, now)))))
    }
}
