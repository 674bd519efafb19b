//! Why a device refuses a command.

/// Refusals of a device.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such device.
    #[error("no such device")]
    NotFound,
    /// Registered before.
    #[error("the device exists already")]
    AlreadyExists,
    /// Out of service.
    #[error("the device is decommissioned")]
    Decommissioned,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The serial number is empty or longer than 100 characters.
    #[error("the serial number must have 1 to 100 characters")]
    InvalidSerialNumber,
    /// The attributes are no JSON object.
    #[error("the custom attributes must be a JSON object")]
    InvalidAttributes,
}
