//! Queries of types.

use uuid::Uuid;

use super::{AssetTypeRow, DeviceTypeRow};
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Lists device types by name; with `retired`, also retired ones.
pub async fn device_types(
    reader: &Reader,
    organization: Uuid,
    retired: bool,
    paging: Paging,
) -> Result<Page<DeviceTypeRow>, Error> {
    let list = "SELECT * FROM device_types WHERE organization_id = $1 AND ($2 OR NOT retired)";
    reader.page("device_types", list, Order::NAME, paging, |query| query.bind(organization).bind(retired)).await
}

/// Returns a device type.
pub async fn device_type(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<DeviceTypeRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM device_types t WHERE organization_id = $1 AND id = $2";
    reader.row("device_types", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}

/// Lists asset types by name; with `retired`, also retired ones.
pub async fn asset_types(
    reader: &Reader,
    organization: Uuid,
    retired: bool,
    paging: Paging,
) -> Result<Page<AssetTypeRow>, Error> {
    let list = "SELECT * FROM asset_types WHERE organization_id = $1 AND ($2 OR NOT retired)";
    reader.page("asset_types", list, Order::NAME, paging, |query| query.bind(organization).bind(retired)).await
}

/// Returns an asset type.
pub async fn asset_type(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<AssetTypeRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM asset_types t WHERE organization_id = $1 AND id = $2";
    reader.row("asset_types", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}
