//! Lists devices.

use poem_openapi::Enum;
use projections::device_directory::read::{self, DeviceFilter, Sort};

use super::view::Device;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The lifecycle status of a device.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum DeviceStatus {
    Active,
    Decommissioned,
}

/// The connectivity of a device.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum Connectivity {
    Online,
    Offline,
    Unknown,
}

/// The sort key of the list.
#[derive(Enum)]
#[oai(rename = "DeviceOrder", rename_all = "camelCase")]
enum Order {
    Name,
    SerialNumber,
    CreatedAt,
    UpdatedAt,
}

page! {
    /// One page of the list.
    Devices { devices: Device }
}

#[OpenApi]
impl Api {
    /// List devices
    ///
    /// Ordered by name unless `sort` is given. `total` is capped at 10,001.
    #[oai(path = "/devices", method = "get", tag = "Tag::Devices", operation_id = "listDevices")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        status: Query<Option<DeviceStatus>>,
        #[oai(name = "deviceTypeId")] device_type_id: Query<Option<Uuid>>,
        connectivity: Query<Option<Connectivity>>,
        /// A substring of the name, serial number or description.
        text: Query<Option<String>>,
        /// A custom attribute and its value, such as `floor:3`. The value must be the whole text of the attribute, in
        /// upper and lower case alike; if it writes a number, `true`, `false` or `null`, it also finds that.
        attribute: Query<Option<String>>,
        /// The sort key, ascending; defaults to `name`.
        sort: Query<Option<Order>>,
        /// Sort in descending order.
        descending: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Devices>, Problem> {
        let filter = DeviceFilter {
            status: status.0.map(|status| status.as_str().to_owned()),
            device_type_id: device_type_id.0,
            connectivity: connectivity.0.map(|connectivity| connectivity.as_str().to_owned()),
            text: text.0,
            attribute: attribute.0.as_deref().map(pair).transpose()?,
        };
        let order = (sort.0.map_or(Sort::Name, Sort::from), descending.0.unwrap_or(false));
        let page =
            read::sorted(&state.reader, caller.organization.0, &filter, order, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Devices::new(page)))
    }
}

/// Parses `key:value`; the value may contain colons.
fn pair(text: &str) -> Result<(String, String), Problem> {
    let pair = text.split_once(':').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or_else(|| Problem::parameter("attribute", "must be a name, a colon and a value"))?;
    Ok((key.to_owned(), value.to_owned()))
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        match order {
            Order::Name => Self::Name,
            Order::SerialNumber => Self::SerialNumber,
            Order::CreatedAt => Self::CreatedAt,
            Order::UpdatedAt => Self::UpdatedAt,
        }
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
