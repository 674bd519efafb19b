//! The resources outside its own aggregate that a command may refer to.

use std::fmt;

use domain::ids::{
    ActivityTemplateId, ActivityTypeId, AssetId, AssetProfileId, AssetTypeId, DeviceId, DeviceTypeId,
    ProtocolConverterId, UserId,
};

/// A resource that must be usable when a command that refers to it is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A device type in use.
    DeviceType(DeviceTypeId),
    /// A device in service.
    Device(DeviceId),
    /// An asset type in use.
    AssetType(AssetTypeId),
    /// An asset profile in use.
    AssetProfile(AssetProfileId),
    /// An activity type in use.
    ActivityType(ActivityTypeId),
    /// A protocol converter in use.
    ProtocolConverter(ProtocolConverterId),
    /// An asset in use.
    Asset(AssetId),
    /// An activity template in use.
    ActivityTemplate(ActivityTemplateId),
    /// An active user.
    User(UserId),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeviceType(id) => write!(f, "device type {id}"),
            Self::Device(id) => write!(f, "device {id}"),
            Self::AssetType(id) => write!(f, "asset type {id}"),
            Self::AssetProfile(id) => write!(f, "asset profile {id}"),
            Self::ActivityType(id) => write!(f, "activity type {id}"),
            Self::ProtocolConverter(id) => write!(f, "protocol converter {id}"),
            Self::Asset(id) => write!(f, "asset {id}"),
            Self::ActivityTemplate(id) => write!(f, "activity template {id}"),
            Self::User(id) => write!(f, "user {id}"),
        }
    }
}
