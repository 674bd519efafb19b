//! Devices in responses.

use commands::Receipt;
use projections::device_directory::{NAME, read};

use crate::auth::Caller;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// A device.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Device {
    pub id: Uuid,
    organization_id: Uuid,
    name: String,
    description: Option<String>,
    serial_number: String,
    device_type_id: Uuid,
    device_type_name: Option<String>,
    custom_attributes: Value,
    /// `active` or `decommissioned`.
    status: String,
    decommission_reason: Option<String>,
    /// `online`, `offline`, or `unknown` until it first connects.
    connectivity_status: String,
    connectivity_reason: Option<String>,
    last_connectivity_change: Option<Time>,
    last_seen: Option<Time>,
    linked_assets_count: i64,
    created_at: Time,
    /// `user:<id>`.
    created_by: String,
    updated_at: Time,
    pub(super) version: i64,
}

/// One device.
#[derive(Debug, Object)]
pub struct DeviceResponse {
    device: Device,
}

versioned!(DeviceResponse, device);

impl From<read::Device> for Device {
    fn from(device: read::Device) -> Self {
        let row = device.row;
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            serial_number: row.serial_number,
            device_type_id: row.device_type_id,
            device_type_name: device.device_type_name,
            custom_attributes: row.custom_attributes,
            status: row.status,
            decommission_reason: row.decommission_reason,
            connectivity_status: device.connectivity,
            connectivity_reason: device.connectivity_reason,
            last_connectivity_change: device.last_connectivity_change.map(Into::into),
            last_seen: device.last_seen.map(Into::into),
            linked_assets_count: device.linked_assets_count,
            created_at: row.created_at.into(),
            created_by: row.created_by,
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

impl Device {
    /// Returns a device that was just registered, from its aggregate, when the read model is late.
    pub fn registered(id: Uuid, caller: &Caller, state: domain::device::Device, now: DateTime<Utc>) -> Option<Self> {
        let profile = state.profile?;
        Some(Self {
            id,
            organization_id: caller.organization.0,
            name: profile.name,
            description: profile.description,
            serial_number: profile.serial_number,
            device_type_id: profile.device_type_id.0,
            device_type_name: None,
            custom_attributes: profile.custom_attributes,
            status: "active".to_owned(),
            decommission_reason: None,
            connectivity_status: "unknown".to_owned(),
            connectivity_reason: None,
            last_connectivity_change: None,
            last_seen: None,
            linked_assets_count: 0,
            created_at: now.into(),
            created_by: caller.principal.actor().to_string(),
            updated_at: now.into(),
            version: 1,
        })
    }
}

/// Returns a device of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<read::Device, Problem> {
    let device = read::get(&state.reader, caller.organization.0, id).await?;
    device.ok_or_else(|| Problem::not_found("device"))
}

/// Returns a device as it is after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<DeviceResponse, Problem> {
    let device =
        read_after_write(state, NAME, (id, receipt), read::get(&state.reader, caller.organization.0, id)).await?;
    Ok(DeviceResponse { device: device.into() })
}

impl From<read::Device> for DeviceResponse {
    fn from(device: read::Device) -> Self {
        Self { device: device.into() }
    }
}
