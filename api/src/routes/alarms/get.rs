//! Shows one alarm.

use projections::alarm_board::read;

use super::view::AlarmResponse;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an alarm
    #[oai(path = "/alarms/:id", method = "get", tag = "Tag::Alarms", operation_id = "getAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<AlarmResponse>, Problem> {
        let alarm = read::get(&state.reader, caller.organization.0, id.0).await?;
        Ok(Fetched(alarm.ok_or_else(|| Problem::not_found("alarm"))?.into()))
    }
}
