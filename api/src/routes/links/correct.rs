//! Corrects a link, also for the past.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use domain::device_links::{DeviceLinks, DeviceLinksCommand};
use domain::ids::LinkId;
use domain::validation::nearest_time;
use projections::asset_directory::{NAME, read};

use super::view::LinkResponse;
use crate::auth::Caller;
use crate::enums::LinkRole;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The corrected link; replaces all fields.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CorrectLink {
    #[oai(nullable)]
    port: Option<u16>,
    /// Defaults to `primary`.
    #[oai(nullable)]
    role: Option<LinkRole>,
    /// May be in the past.
    valid_from: Time,
    /// Open-ended if absent; may be in the past.
    #[oai(nullable)]
    valid_until: Option<Time>,
    #[oai(nullable)]
    metrics_mapping: Option<HashMap<String, String>>,
    /// What was wrong; recorded in the history.
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Correct a link
    ///
    /// Replaces port, role, validity and mapping, also for the past. Readings that arrive from now on are routed by the
    /// corrected link, whenever they were measured; readings processed before stay where they are. The history of the
    /// device shows the author, the reason and the previous values.
    #[oai(path = "/devices/:deviceId/links/:id", method = "put", tag = "Tag::Links", operation_id = "correctLink")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteLinks>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        #[oai(name = "deviceId")] device_id: Path<Uuid>,
        id: Path<Uuid>,
        body: Body<CorrectLink>,
    ) -> Result<Revised<LinkResponse>, Problem> {
        let organization = caller.organization.0;
        let CorrectLink { port, role, valid_from, valid_until, metrics_mapping, reason } = body.0;
        let command = DeviceLinksCommand::CorrectLink {
            link_id: LinkId(id.0),
            port,
            role: role.unwrap_or(LinkRole::Primary).into(),
            valid_from: valid_from.0,
            valid_until: valid_until.map(|at| at.0),
            metrics_mapping: metrics_mapping.unwrap_or_default().into_iter().collect::<BTreeMap<_, _>>(),
            reason,
        };
        let version = match expected.0 {
            Some(_) => Some(vec![version_at(&state, &caller, device_id.0, id.0, expected).await?]),
            None => None,
        };
        let context = intent.context(&caller);
        let receipt = state.commands.execute_at::<DeviceLinks>(&context, device_id.0, command, version).await?;
        let link =
            read_after_write(&state, NAME, (id.0, receipt), read::link(&state.reader, organization, id.0)).await?;
        Ok(Revised(LinkResponse { link: link.into() }, Some(receipt)))
    }
}

/// Returns the version of the device's links at which this link is as its ETag says. The ETag comes from the read
/// model, and the log may have moved on, so both states are compared.
async fn version_at(state: &State, caller: &Caller, device: Uuid, id: Uuid, expected: IfMatch) -> Result<u64, Problem> {
    let missing = || Problem::not_found("link");
    let known = state.commands.load::<DeviceLinks>(caller.organization, device).await.map_err(never_refused)?;
    let (links, version) = known.ok_or_else(missing)?;
    let stored = links.links.iter().find(|link| link.link_id == LinkId(id)).ok_or_else(missing)?;
    let row = read::link(&state.reader, caller.organization.0, id).await?.ok_or_else(missing)?;
    expected.holds(row.position)?;
    // PostgreSQL rounds to microseconds.
    let is_at =
        |row: DateTime<Utc>, stored: DateTime<Utc>| (row - nearest_time(stored)).abs() <= TimeDelta::microseconds(1);
    let is_same = is_at(row.valid_from, stored.valid_from)
        && row.valid_until.is_some() == stored.valid_until.is_some()
        && row.valid_until.zip(stored.valid_until).is_none_or(|(row, stored)| is_at(row, stored))
        && (row.port, row.role.as_str()) == (stored.port.map(i32::from), stored.role.as_str())
        && row.metrics_mapping == stored.metrics_mapping;
    if is_same { Ok(version) } else { Err(Problem::new(Kind::PreconditionFailed)) }
}
