//! Imports devices idempotently: the same row of a file is the same command, however often the file is imported.

use domain::device::{Error as DeviceRefusal, serial_number_of};
use domain::ids::derive;

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;
use crate::unique_claim::Key;

impl Commands {
    /// Returns the context in which an import registers the device with a serial number. Its command id stays the same
    /// until the serial number is released, so that a repeated import completes an interrupted registration and
    /// recognises a completed one.
    pub async fn import_context(
        &self,
        context: &CommandContext,
        serial_number: &str,
    ) -> Result<CommandContext, Error<Refusal>> {
        let invalid = || Error::Refused(Refusal::Device(DeviceRefusal::InvalidSerialNumber));
        let serial_number = serial_number_of(serial_number).ok_or_else(invalid)?;
        let organization = context.organization;
        let key = Key::serial_number(organization, &serial_number);
        let known = self.claims_of_serial_number(context, key).await.map_err(Error::widen)?;
        // The key's version counts claims and releases. Minus the present claim, it changes only with a release.
        let released = known.version - u64::from(known.state.holder.is_some());
        let command_id = derive(organization.0, &["import", &serial_number, &released.to_string()]);
        Ok(CommandContext { command_id, ..context.clone() })
    }
}
