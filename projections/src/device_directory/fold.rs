//! Domain events into rows of devices. Pure.

use domain::AnyEvent;
use domain::device::DeviceEvent;
use eventlog::Stream;
use serde_json::{Value, json};

use super::DeviceRow;
use crate::fact::Fact;
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of devices.
pub struct Devices;

impl Fold for Devices {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["devices"];
    type Sheets = Sheet<DeviceRow>;

    fn sheets(sheets: &mut Self::Sheets) -> Vec<&mut dyn AnySheet> {
        vec![sheets]
    }

    fn touch(sheets: &mut Self::Sheets, fact: &Fact) {
        if matches!(fact.event, AnyEvent::Device(_)) {
            sheets.want(fact.id);
        }
    }

    fn fold(devices: &mut Self::Sheets, fact: &Fact) {
        let AnyEvent::Device(event) = &fact.event else { return };
        let mut change = |change: &dyn Fn(&mut DeviceRow)| {
            devices.change(fact.id, |row| {
                change(row);
                (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
            });
        };
        match event {
            DeviceEvent::DeviceRegistered { .. } => {
                if let Some(row) = registered(event, fact) {
                    devices.put(row);
                }
            }
            DeviceEvent::DeviceRenamed { name } => change(&|row| row.name.clone_from(name)),
            DeviceEvent::DeviceDescribed { description } => change(&|row| row.description.clone_from(description)),
            DeviceEvent::DeviceAttributesChanged { custom_attributes } => {
                change(&|row| row.custom_attributes = object(custom_attributes));
            }
            DeviceEvent::DeviceReplaced { serial_number, .. } => {
                change(&|row| row.serial_number.clone_from(serial_number));
            }
            DeviceEvent::DeviceDecommissioned { reason } => change(&|row| {
                row.status = "decommissioned".into();
                row.decommission_reason = Some(reason.clone());
            }),
            DeviceEvent::DeviceTokenIssued { .. }
            | DeviceEvent::DeviceTokenRevoked { .. }
            | DeviceEvent::GatewayAppointed {}
            | DeviceEvent::GatewayDismissed {}
            | DeviceEvent::ClaimCodeIssued { .. }
            | DeviceEvent::ClaimCodeWithdrawn { .. }
            | DeviceEvent::ClaimCodeUsed { .. } => change(&|_| {}),
        }
    }
}

fn registered(event: &DeviceEvent, fact: &Fact) -> Option<DeviceRow> {
    let DeviceEvent::DeviceRegistered { name, description, serial_number, device_type_id, custom_attributes } = event
    else {
        return None;
    };
    Some(DeviceRow {
        id: fact.id,
        organization_id: fact.organization,
        name: name.clone(),
        description: description.clone(),
        serial_number: serial_number.clone(),
        device_type_id: device_type_id.0,
        custom_attributes: object(custom_attributes),
        status: "active".into(),
        decommission_reason: None,
        created_at: fact.at(),
        created_by: fact.actor(),
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    })
}

/// Returns free attributes as an object, also where none were given.
pub(crate) fn object(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { json!({}) }
}
