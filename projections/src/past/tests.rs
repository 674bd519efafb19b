//! What each event changed, thing by thing.

use domain::device::DeviceEvent;
use domain::ids::DeviceTypeId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::{FieldChange, changes};
use crate::given::fact;

fn change(field: &str, before: Option<Value>, after: Value) -> FieldChange {
    FieldChange { field: field.to_owned(), before, after }
}

#[test]
fn a_field_is_shown_as_it_was_and_as_it_is() {
    let registered = DeviceEvent::DeviceRegistered {
        name: "Pump".into(),
        description: None,
        serial_number: "SN-1".into(),
        device_type_id: DeviceTypeId(Uuid::from_u128(7)),
        custom_attributes: json!({"floor": 1}),
    };
    let events = [
        fact("device", 1, &registered),
        fact("device", 2, &DeviceEvent::DeviceRenamed { name: "Cellar pump".into() }),
        fact("device", 3, &DeviceEvent::DeviceRenamed { name: "Cellar pump".into() }),
        fact("device", 4, &DeviceEvent::DeviceAttributesChanged { custom_attributes: json!({"floor": -1}) }),
        fact("device", 5, &DeviceEvent::DeviceDecommissioned { reason: "broken".into() }),
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
