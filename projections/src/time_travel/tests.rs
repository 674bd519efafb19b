//! Which fields each event of a device changes.

use domain::device::DeviceEvent;
use domain::ids::DeviceTypeId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::{FieldChange, changes};
use crate::test_events::decoded_event;

fn change(field: &str, before: Option<Value>, after: Value) -> FieldChange {
    FieldChange { field: field.to_owned(), before, after }
}

#[test]
fn each_event_lists_its_changed_fields_with_values_before_and_after() {
    let registered = DeviceEvent::DeviceRegistered {
        name: "Pump".into(),
        description: None,
        serial_number: "SN-1".into(),
        device_type_id: DeviceTypeId(Uuid::from_u128(7)),
        custom_attributes: json!({"floor": 1}),
    };
    let events = [
        decoded_event("device", 1, &registered),
        decoded_event("device", 2, &DeviceEvent::DeviceRenamed { name: "Cellar pump".into() }),
        decoded_event("device", 3, &DeviceEvent::DeviceRenamed { name: "Cellar pump".into() }),
        decoded_event("device", 4, &DeviceEvent::DeviceAttributesChanged { custom_attributes: json!({"floor": -1}) }),
        decoded_event("device", 5, &DeviceEvent::DeviceDecommissioned { reason: "broken".into() }),
    ];
    let changes = changes("device", &events);
    assert!(changes[0].contains(&change("serialNumber", None, json!("SN-1"))), "{:?}", changes[0]);
    assert!(changes[0].iter().all(|change| change.before.is_none() && change.field != "description"));
    assert_eq!(changes[1], [change("name", Some(json!("Pump")), json!("Cellar pump"))]);
    assert_eq!(changes[2], []);
    assert_eq!(changes[3], [change("customAttributes", Some(json!({"floor": 1})), json!({"floor": -1}))]);
    assert_eq!(
        changes[4],
        [
            change("decommissionReason", None, json!("broken")),
            change("status", Some(json!("active")), json!("decommissioned"))
        ]
    );
}
