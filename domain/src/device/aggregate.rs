//! State of a device and its decisions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::DeviceToken;
use super::claim::ClaimCode;
use super::{DeviceCommand, DeviceEvent, Error};
use crate::aggregate::{Decide, aggregate};
use crate::ids::DeviceTypeId;
use crate::validation;

/// Maximum length of a serial number, characters.
const MAX_SERIAL_NUMBER_CHARS: usize = 100;

/// The state of a device, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Its details; `None` until it is registered.
    pub profile: Option<DeviceProfile>,
    /// Whether it is permanently out of service.
    pub decommissioned: bool,
    /// Its HTTP tokens in order of issue, including revoked and expired ones.
    #[serde(default)]
    pub tokens: Vec<DeviceToken>,
    /// Whether it is a gateway: it may send data on behalf of other devices of its organisation.
    #[serde(default)]
    pub gateway: bool,
    /// Its newest claim code, used or not.
    #[serde(default)]
    pub claim_code: Option<ClaimCode>,
    /// Serial numbers of the physical devices that it replaced, the latest last.
    #[serde(default)]
    pub former_serial_numbers: Vec<String>,
}

/// The descriptive details of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceProfile {
    /// Its name.
    pub name: String,
    /// Free-text description.
    pub description: Option<String>,
    /// Manufacturer's serial number.
    pub serial_number: String,
    /// Its type.
    pub device_type_id: DeviceTypeId,
    /// Custom attributes: a JSON object.
    pub custom_attributes: Value,
}

impl Device {
    /// Returns whether the device exists and is not decommissioned.
    pub fn in_service(&self) -> bool {
        self.profile.is_some() && !self.decommissioned
    }
}

impl Decide for Device {
    type Command = DeviceCommand;
    type Event = DeviceEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use DeviceCommand as C;
        match (command, &self.profile) {
            (C::RegisterDevice { name, description, serial_number, device_type_id, custom_attributes }, None) => {
                let name = checked(&name)?;
                let serial_number = serial_number_of(&serial_number).ok_or(Error::InvalidSerialNumber)?;
                let custom_attributes = checked_attributes(custom_attributes)?;
                Ok(vec![DeviceEvent::DeviceRegistered {
                    name,
                    description,
                    serial_number,
                    device_type_id,
                    custom_attributes,
                }])
            }
            (C::RegisterDevice { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            // Decommissioning twice succeeds without an event; any other command on a decommissioned device is
            // rejected.
            (C::DecommissionDevice { .. }, _) if self.decommissioned => Ok(vec![]),
            (C::DecommissionDevice { reason }, _) => Ok(vec![DeviceEvent::DeviceDecommissioned { reason }]),
            (_, _) if self.decommissioned => Err(Error::Decommissioned),
            (
                command @ (C::IssueDeviceToken { .. }
                | C::RevokeDeviceToken { .. }
                | C::AppointGateway {}
                | C::DismissGateway {}),
                Some(_),
            ) => self.decide_access(command),
            (command @ (C::IssueClaimCode { .. } | C::WithdrawClaimCode {} | C::UseClaimCode { .. }), Some(_)) => {
                self.decide_claim(command)
            }
            (C::ReplaceDevice { serial_number, reason }, Some(profile)) => {
                self.replace(profile, &serial_number, reason)
            }
            (C::ReviseDevice { changes }, Some(profile)) => {
                // Collecting into a result makes the revision atomic: one invalid change rejects them all.
                let events: Result<Vec<_>, _> = changes.into_iter().map(|change| profile.change(change)).collect();
                Ok(events?.concat())
            }
            (command, Some(profile)) => profile.change(command),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match (event, &mut self.profile) {
            (
                DeviceEvent::DeviceRegistered { name, description, serial_number, device_type_id, custom_attributes },
                profile,
            ) => {
                *profile = Some(DeviceProfile { name, description, serial_number, device_type_id, custom_attributes });
            }
            (DeviceEvent::DeviceRenamed { name }, Some(profile)) => profile.name = name,
            (DeviceEvent::DeviceDescribed { description }, Some(profile)) => profile.description = description,
            (DeviceEvent::DeviceAttributesChanged { custom_attributes }, Some(profile)) => {
                profile.custom_attributes = custom_attributes;
            }
            (DeviceEvent::DeviceReplaced { serial_number, .. }, _) => self.evolve_replaced(serial_number),
            (DeviceEvent::DeviceDecommissioned { .. }, _) => self.decommissioned = true,
            (DeviceEvent::DeviceTokenIssued { token_id, label, digest, expires_at }, _) => {
                self.tokens.push(DeviceToken { token_id, label, digest, expires_at, revoked: None });
            }
            (DeviceEvent::DeviceTokenRevoked { token_id, reason }, _) => {
                let token = self.tokens.iter_mut().find(|token| token.token_id == token_id);
                token.into_iter().for_each(|token| token.revoked = Some(reason.clone()));
            }
            (
                event @ (DeviceEvent::ClaimCodeIssued { .. }
                | DeviceEvent::ClaimCodeWithdrawn { .. }
                | DeviceEvent::ClaimCodeUsed { .. }),
                _,
            ) => self.evolve_claim(event),
            (DeviceEvent::GatewayAppointed {}, _) => self.gateway = true,
            (DeviceEvent::GatewayDismissed {}, _) => self.gateway = false,
            (_, None) => {}
        }
    }
}

aggregate!(Device, "device");

/// Returns the serial number in its stored form: trimmed; `None` unless 1 to 100 characters remain.
pub fn serial_number_of(text: &str) -> Option<String> {
    validation::trimmed(text, MAX_SERIAL_NUMBER_CHARS)
}

impl DeviceProfile {
    /// Decides on the commands that change the details of a device in service.
    fn change(&self, command: DeviceCommand) -> Result<Vec<DeviceEvent>, Error> {
        let (changed, event) = match command {
            DeviceCommand::RenameDevice { name } => {
                let name = checked(&name)?;
                (name != self.name, DeviceEvent::DeviceRenamed { name })
            }
            DeviceCommand::DescribeDevice { description } => {
                (description != self.description, DeviceEvent::DeviceDescribed { description })
            }
            DeviceCommand::ChangeDeviceAttributes { custom_attributes } => {
                let custom_attributes = checked_attributes(custom_attributes)?;
                (
                    custom_attributes != self.custom_attributes,
                    DeviceEvent::DeviceAttributesChanged { custom_attributes },
                )
            }
            _ => return Ok(vec![]),
        };
        Ok(changed.then_some(event).into_iter().collect())
    }
}

fn checked(name: &str) -> Result<String, Error> {
    validation::name(name).ok_or(Error::InvalidName)
}

fn checked_attributes(attributes: Value) -> Result<Value, Error> {
    if validation::is_json_object(&attributes) { Ok(attributes) } else { Err(Error::InvalidAttributes) }
}
