//! What may be asked of a device. What does not live here: the decision.

use serde_json::Value;

use crate::ids::DeviceTypeId;

/// Commands on a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceCommand {
    /// Adds the device.
    RegisterDevice {
        /// Its name.
        name: String,
        /// Free text for people.
        description: Option<String>,
        /// The maker's serial number.
        serial_number: String,
        /// Its type.
        device_type_id: DeviceTypeId,
        /// Free attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Gives it another name.
    RenameDevice {
        /// Its name.
        name: String,
    },
    /// Changes its description.
    DescribeDevice {
        /// Free text for people.
        description: Option<String>,
    },
    /// Replaces its free attributes.
    ChangeDeviceAttributes {
        /// Free attributes: a JSON object.
        custom_attributes: Value,
    },
    /// Takes it out of service for good.
    DecommissionDevice {
        /// Why, in the words of who did it.
        reason: String,
    },
}
