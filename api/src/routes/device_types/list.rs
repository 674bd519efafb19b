//! Lists device types.

use projections::type_catalogue::read;

use super::view::DeviceType;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    DeviceTypes { device_types: DeviceType }
}

#[OpenApi]
impl Api {
    /// List device types
    #[oai(path = "/device-types", method = "get", tag = "Tag::DeviceTypes", operation_id = "listDeviceTypes")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Include retired entries.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<DeviceTypes>, Problem> {
        let retired = retired.0.unwrap_or(false);
        let page =
            read::device_types(&state.reader, caller.organization.0, retired, paging(limit, offset, &cursor)?).await?;
        Ok(Json(DeviceTypes::new(page)))
    }
}
