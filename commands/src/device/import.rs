//! Importing: the same row of a file is the same command, however often the file comes.

use domain::device::{Error as DeviceRefusal, serial_number_of};
use domain::ids::derive;
use domain::unique_key::UniqueKey;

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;
use crate::unique_claim::Key;

impl Commands {
    /// Returns the circumstances under which the device of a serial number is registered by an import. They are the
    /// same until the serial number is given up, so that a registration which was broken off is completed, and one that
    /// was not is found.
    pub async fn import_context(
        &self,
        context: &CommandContext,
        serial_number: &str,
    ) -> Result<CommandContext, Error<Refusal>> {
        let invalid = || Error::Refused(Refusal::Device(DeviceRefusal::InvalidSerialNumber));
        let serial_number = serial_number_of(serial_number).ok_or_else(invalid)?;
        let organization = context.organization;
        let key = Key::serial_number(organization, &serial_number);
        let known = self.load_fresh::<UniqueKey>(organization, key.id).await.map_err(Error::widen)?;
        // Claiming the key is an event of it, giving it up another one.
        let given_up = known.version - u64::from(known.state.holder.is_some());
        let command_id = derive(organization.0, &["import", &serial_number, &given_up.to_string()]);
        Ok(CommandContext { command_id, ..context.clone() })
    }
}
