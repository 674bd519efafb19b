//! Changes the telemetry retention of the caller's organisation.

use domain::organization::{Organization, OrganizationCommand};

use super::TelemetryRetention;
use crate::etag::response_version;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The new retention.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ChangeTelemetryRetention {
    /// Days, 1 to 3,650.
    #[oai(validator(minimum(value = "1"), maximum(value = "3650")))]
    days: u32,
}

#[OpenApi]
impl Api {
    /// Change telemetry retention
    ///
    /// Shortening the retention removes older data within minutes; extending it does not bring data back.
    #[oai(
        path = "/telemetry/retention",
        method = "put",
        tag = "Tag::Telemetry",
        operation_id = "changeTelemetryRetention"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageRetention>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        body: Body<ChangeTelemetryRetention>,
    ) -> Result<Revised<TelemetryRetention>, Problem> {
        let days = body.0.days;
        let command = OrganizationCommand::ChangeTelemetryRetention { days };
        let (context, id) = (intent.context(&caller), caller.organization.0);
        let receipt = state.commands.execute_at::<Organization>(&context, id, command, expected.0).await?;
        Ok(Revised(TelemetryRetention { days, version: response_version(receipt.version) }, Some(receipt)))
    }
}
