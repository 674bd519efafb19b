//! Errors: why a device rejects a command.

/// Why a device rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The device does not exist.
    #[error("no such device")]
    NotFound,
    /// It already exists.
    #[error("the device already exists")]
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
    /// The replacement has the serial number of what it replaces.
    #[error("the replacement must have a serial number of its own")]
    SameSerialNumber,
    /// The token's label is empty or longer than 100 characters.
    #[error("the label must have 1 to 100 characters")]
    InvalidLabel,
    /// The device has as many tokens as it may have.
    #[error("the device has {most} valid tokens already; revoke one first")]
    TooManyTokens {
        /// How many it may have.
        most: usize,
    },
    /// The device has no such token.
    #[error("no such token")]
    NoSuchToken,
    /// The device has no such claim code: it never had, or another one took its place.
    #[error("the claim code does not hold for this device")]
    WrongClaimCode,
    /// The claim code was used before.
    #[error("the claim code was used before")]
    ClaimCodeUsed,
    /// The claim code's time is over.
    #[error("the claim code has expired")]
    ClaimCodeExpired,
    /// The attributes are not a JSON object.
    #[error("the custom attributes must be a JSON object")]
    InvalidAttributes,
}
