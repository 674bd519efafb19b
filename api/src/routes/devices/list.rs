//! Lists devices.

use poem_openapi::Enum;
use projections::device_directory::read::{self, DeviceFilter};

use super::view::Device;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Whether a device is in service.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum DeviceStatus {
    Active,
    Decommissioned,
}

/// Whether a device is there.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum Connectivity {
    Online,
    Offline,
    Unknown,
}

/// A part of the list.
#[derive(Object)]
struct Devices {
    devices: Vec<Device>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// List devices
    ///
    /// In the order of their names. `total` counts at most 10,001.
    #[oai(path = "/devices", method = "get", tag = "Tag::Devices", operation_id = "listDevices")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        status: Query<Option<DeviceStatus>>,
        #[oai(name = "deviceTypeId")] device_type_id: Query<Option<Uuid>>,
        connectivity: Query<Option<Connectivity>>,
        /// Part of name, serial number or description.
        text: Query<Option<String>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Devices>, Problem> {
        let filter = DeviceFilter {
            status: status.0.map(|status| status.as_str().to_owned()),
            device_type_id: device_type_id.0,
            connectivity: connectivity.0.map(|connectivity| connectivity.as_str().to_owned()),
            text: text.0,
        };
        let page = read::list(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        let page = page.map(Device::from);
        Ok(Json(Devices { devices: page.items, total: page.total, next_cursor: next_cursor(page.next) }))
    }
}

impl DeviceStatus {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Decommissioned => "decommissioned",
        }
    }
}

impl Connectivity {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}
