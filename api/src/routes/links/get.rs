//! Shows a link.

use projections::asset_directory::read;

use super::view::LinkResponse;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a link
    #[oai(path = "/links/:id", method = "get", tag = "Tag::Links", operation_id = "getLink")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        /// Shows the state at this time, rebuilt from the events recorded at or before it; defaults to the present.
        #[oai(name = "asOf")]
        as_of: AsOf,
    ) -> Result<Fetched<LinkResponse>, Problem> {
        let mut link = read::link(&state.reader, caller.organization.0, id.0).await?;
        // A link belongs to its device's `DeviceLinks` aggregate; the present row names the device.
        if let (Some(past), Some(present)) = (point_in_time(&state, &caller, &as_of), &link) {
            link = past.link(present.device_id, id.0).await?;
        }
        let link = link.ok_or_else(|| Problem::not_found("link"))?;
        Ok(Fetched(LinkResponse { link: link.into() }))
    }
}
