//! Folds domain events into rows of devices. Pure.

use domain::AnyEvent;
use domain::device::DeviceEvent;
use eventlog::Stream;
use serde_json::{Value, json};

use super::DeviceRow;
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};

/// The fold of devices.
pub struct Devices;

impl Fold for Devices {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["devices"];
    type Rows = RowBatch<DeviceRow>;

    fn row_batches(rows: &mut Self::Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![rows]
    }

    fn request_rows(rows: &mut Self::Rows, decoded: &DecodedEvent) {
        if matches!(decoded.event, AnyEvent::Device(_)) {
            rows.request(decoded.id);
        }
    }

    fn fold(devices: &mut Self::Rows, decoded: &DecodedEvent) {
        let AnyEvent::Device(event) = &decoded.event else { return };
        let mut update = |change: &dyn Fn(&mut DeviceRow)| {
            devices.update(decoded.id, |row| {
                change(row);
                (row.updated_at, row.version, row.position) =
                    (decoded.recorded_at(), decoded.version, decoded.position);
            });
        };
        match event {
            DeviceEvent::DeviceRegistered { .. } => {
                if let Some(row) = registered(event, decoded) {
                    devices.upsert(row);
                }
            }
            DeviceEvent::DeviceRenamed { name } => update(&|row| row.name.clone_from(name)),
            DeviceEvent::DeviceDescribed { description } => update(&|row| row.description.clone_from(description)),
            DeviceEvent::DeviceAttributesChanged { custom_attributes } => {
                update(&|row| row.custom_attributes = object(custom_attributes));
            }
            DeviceEvent::DeviceReplaced { serial_number, .. } => {
                update(&|row| row.serial_number.clone_from(serial_number));
            }
            DeviceEvent::DeviceDecommissioned { reason } => update(&|row| {
                row.status = "decommissioned".into();
                row.decommission_reason = Some(reason.clone());
            }),
            DeviceEvent::DeviceTokenIssued { .. }
            | DeviceEvent::DeviceTokenRevoked { .. }
            | DeviceEvent::GatewayAppointed {}
            | DeviceEvent::GatewayDismissed {}
            | DeviceEvent::ClaimCodeIssued { .. }
            | DeviceEvent::ClaimCodeWithdrawn { .. }
            | DeviceEvent::ClaimCodeUsed { .. } => update(&|_| {}),
        }
    }
}

fn registered(event: &DeviceEvent, decoded: &DecodedEvent) -> Option<DeviceRow> {
    let DeviceEvent::DeviceRegistered { name, description, serial_number, device_type_id, custom_attributes } = event
    else {
        return None;
    };
    Some(DeviceRow {
        id: decoded.id,
        organization_id: decoded.organization,
        name: name.clone(),
        description: description.clone(),
        serial_number: serial_number.clone(),
        device_type_id: device_type_id.0,
        custom_attributes: object(custom_attributes),
        status: "active".into(),
        decommission_reason: None,
        created_at: decoded.recorded_at(),
        created_by: decoded.actor(),
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    })
}

/// Returns custom attributes as an object, an empty one if none were given.
pub(crate) fn object(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { json!({}) }
}
