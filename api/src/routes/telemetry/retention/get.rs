//! Shows the telemetry retention of the caller's organisation.

use domain::organization::Organization;

use super::TelemetryRetention;
use crate::error_mapping::never_refused;
use crate::etag::response_version;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show telemetry retention
    #[oai(
        path = "/telemetry/retention",
        method = "get",
        tag = "Tag::Telemetry",
        operation_id = "getTelemetryRetention"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
    ) -> Result<Fetched<TelemetryRetention>, Problem> {
        let id = caller.organization;
        let loaded = state.commands.load::<Organization>(id, id.0).await.map_err(never_refused)?;
        let (organization, version) = loaded.ok_or_else(|| Problem::not_found("organisation"))?;
        let days = organization.telemetry_retention_days();
        Ok(Fetched(TelemetryRetention { days, version: response_version(version) }))
    }
}
