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
    /// The device is decommissioned.
    #[error("the device is decommissioned")]
    Decommissioned,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The serial number is empty or longer than 100 characters.
    #[error("the serial number must have 1 to 100 characters")]
    InvalidSerialNumber,
    /// The replacement has the serial number of the device that it replaces.
    #[error("the serial number of the replacement must differ from the current one")]
    SameSerialNumber,
    /// The token's label is empty or longer than 100 characters.
    #[error("the label must have 1 to 100 characters")]
    InvalidLabel,
    /// The device has the maximum number of valid tokens.
    #[error("the device has {most} valid tokens already; revoke one first")]
    TooManyTokens {
        /// The maximum.
        most: usize,
    },
    /// The device has no such token.
    #[error("no such token")]
    NoSuchToken,
    /// The device has no claim code with this digest: it never existed or was replaced.
    #[error("the claim code is not valid for this device")]
    WrongClaimCode,
    /// The claim code was already used.
    #[error("the claim code was already used")]
    ClaimCodeUsed,
    /// The claim code has expired.
    #[error("the claim code has expired")]
    ClaimCodeExpired,
    /// The attributes are not a JSON object.
    #[error("the custom attributes must be a JSON object")]
    InvalidAttributes,
}
