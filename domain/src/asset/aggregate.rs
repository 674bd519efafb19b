//! State of an asset and its decisions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AssetCommand, AssetEvent, Error, Location};
use crate::aggregate::{Decide, aggregate};
use crate::catalogue::asset_profile::AppliedProfile;
use crate::ids::AssetTypeId;
use crate::rule::EntityKind;
use crate::validation;

/// Maximum length of a reason, characters.
const MAX_REASON_CHARS: usize = 4000;

/// The state of an asset, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// Its details; `None` until it is registered.
    #[serde(rename = "profile")]
    pub details: Option<AssetDetails>,
    /// Whether it is permanently out of use.
    pub retired: bool,
    /// Whether it is temporarily out of service.
    #[serde(default)]
    pub out_of_service: bool,
    /// The values taken from the profile that it was created from.
    #[serde(default)]
    pub applied: Option<AppliedProfile>,
}

/// The descriptive details of an asset. The profile from which assets are created is `catalogue::AssetProfile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetDetails {
    /// Its name.
    pub name: String,
    /// Free-text description.
    pub description: Option<String>,
    /// Its type.
    pub asset_type_id: AssetTypeId,
    /// Asset or space.
    pub kind: EntityKind,
    /// Its location.
    pub location: Option<Location>,
    /// Custom attributes: a JSON object.
    pub custom_attributes: Value,
}

impl Asset {
    /// Returns whether the asset exists and is not retired.
    pub fn in_use(&self) -> bool {
        self.details.is_some() && !self.retired
    }
}

impl Decide for Asset {
    type Command = AssetCommand;
    type Event = AssetEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use AssetCommand as C;
        match (command, &self.details) {
            (
                C::RegisterAsset { name, description, asset_type_id, kind, location, custom_attributes, profile },
                None,
            ) => {
                let name = checked(&name)?;
                let kind = checked_kind(kind)?;
                let location = checked_location(location)?;
                let custom_attributes = checked_attributes(custom_attributes)?;
                let registered =
                    AssetEvent::AssetRegistered { name, description, asset_type_id, kind, location, custom_attributes };
                let applied = profile.map(|applied| AssetEvent::AssetProfileApplied { applied });
                Ok(std::iter::once(registered).chain(applied).collect())
            }
            (C::RegisterAsset { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            // Retiring twice succeeds without an event; any other command on a retired asset is rejected.
            (C::RetireAsset { .. }, _) if self.retired => Ok(vec![]),
            (C::RetireAsset { reason }, _) => Ok(vec![AssetEvent::AssetRetired { reason }]),
            (_, _) if self.retired => Err(Error::Retired),
            (C::ReviseAsset { changes }, Some(details)) => {
                // Collecting into a result makes the revision atomic: one invalid change rejects them all.
                let events: Result<Vec<_>, _> = changes.into_iter().map(|change| details.change(change)).collect();
                Ok(events?.concat())
            }
            (C::TakeAssetOutOfService { .. }, _) if self.out_of_service => Ok(vec![]),
            (C::TakeAssetOutOfService { reason }, _) => {
                let reason = validation::trimmed(&reason, MAX_REASON_CHARS).ok_or(Error::InvalidReason)?;
                Ok(vec![AssetEvent::AssetTakenOutOfService { reason }])
            }
            (C::ReturnAssetToService {}, _) => {
                Ok(self.out_of_service.then_some(AssetEvent::AssetReturnedToService {}).into_iter().collect())
            }
            (command, Some(details)) => details.change(command),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match (event, &mut self.details) {
            (
                AssetEvent::AssetRegistered { name, description, asset_type_id, kind, location, custom_attributes },
                details,
            ) => {
                *details = Some(AssetDetails { name, description, asset_type_id, kind, location, custom_attributes });
            }
            (AssetEvent::AssetProfileApplied { applied }, _) => self.applied = Some(applied),
            (AssetEvent::AssetRenamed { name }, Some(details)) => details.name = name,
            (AssetEvent::AssetDescribed { description }, Some(details)) => details.description = description,
            (AssetEvent::AssetRelocated { location }, Some(details)) => details.location = location,
            (AssetEvent::AssetAttributesChanged { custom_attributes }, Some(details)) => {
                details.custom_attributes = custom_attributes;
            }
            (AssetEvent::AssetTakenOutOfService { .. }, _) => self.out_of_service = true,
            (AssetEvent::AssetReturnedToService {}, _) => self.out_of_service = false,
            (AssetEvent::AssetRetired { .. }, _) => self.retired = true,
            (_, None) => {}
        }
    }
}

aggregate!(Asset, "asset");

impl AssetDetails {
    /// Decides on the commands that change the details of an asset in use.
    fn change(&self, command: AssetCommand) -> Result<Vec<AssetEvent>, Error> {
        let (changed, event) = match command {
            AssetCommand::RenameAsset { name } => {
                let name = checked(&name)?;
                (name != self.name, AssetEvent::AssetRenamed { name })
            }
            AssetCommand::DescribeAsset { description } => {
                (description != self.description, AssetEvent::AssetDescribed { description })
            }
            AssetCommand::RelocateAsset { location } => {
                let location = checked_location(location)?;
                (location != self.location, AssetEvent::AssetRelocated { location })
            }
            AssetCommand::ChangeAssetAttributes { custom_attributes } => {
                let custom_attributes = checked_attributes(custom_attributes)?;
                (custom_attributes != self.custom_attributes, AssetEvent::AssetAttributesChanged { custom_attributes })
            }
            AssetCommand::RegisterAsset { .. }
            | AssetCommand::ReviseAsset { .. }
            | AssetCommand::TakeAssetOutOfService { .. }
            | AssetCommand::ReturnAssetToService {}
            | AssetCommand::RetireAsset { .. } => {
                return Ok(vec![]);
            }
        };
        Ok(changed.then_some(event).into_iter().collect())
    }
}

fn checked(name: &str) -> Result<String, Error> {
    validation::name(name).ok_or(Error::InvalidName)
}

fn checked_kind(kind: EntityKind) -> Result<EntityKind, Error> {
    if kind == EntityKind::Device { Err(Error::InvalidKind) } else { Ok(kind) }
}

fn checked_location(location: Option<Location>) -> Result<Option<Location>, Error> {
    if location.is_none_or(|location| location.is_on_earth()) { Ok(location) } else { Err(Error::InvalidLocation) }
}

fn checked_attributes(attributes: Value) -> Result<Value, Error> {
    if validation::is_json_object(&attributes) { Ok(attributes) } else { Err(Error::InvalidAttributes) }
}
