//! Errors: why an asset rejects a command.

/// Why an asset rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The asset does not exist.
    #[error("no such asset")]
    NotFound,
    /// It already exists.
    #[error("the asset already exists")]
    AlreadyExists,
    /// The asset is retired.
    #[error("the asset is retired")]
    Retired,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The kind is device.
    #[error("the kind must be asset or space")]
    InvalidKind,
    /// Latitude or longitude is out of range.
    #[error("latitude must be -90 to 90 and longitude -180 to 180")]
    InvalidLocation,
    /// The attributes are not a JSON object.
    #[error("the custom attributes must be a JSON object")]
    InvalidAttributes,
    /// The reason is empty or longer than 4000 characters.
    #[error("the reason must have 1 to 4000 characters")]
    InvalidReason,
}
