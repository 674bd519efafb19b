//! Shows what was ever done to a thing: each event with its author, its cause and the fields that it changed. Devices,
//! whose history has their certificates and links in it, have an endpoint of their own.

pub mod view;

use projections::past::history;

use self::view::{HistoryEvent, part};
use crate::auth::Caller;
use crate::prelude::*;

/// The endpoints.
#[derive(Default)]
pub struct Api;

/// The newest first.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct History {
    entity_id: Uuid,
    events: Vec<HistoryEvent>,
    total: i64,
}

async fn show(
    state: &State,
    caller: &Caller,
    (kind, id): (&'static str, Uuid),
    limit: Query<Option<i64>>,
    offset: Query<Option<i64>>,
) -> Result<Json<History>, Problem> {
    let paging = paging(limit, offset, &Query(None))?;
    let entries = history(&state.reader, caller.organization.0, kind, id).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(&kind.replace('_', " ")));
    }
    let (events, total) = part(entries, &paging);
    Ok(Json(History { entity_id: id, events, total }))
}

#[OpenApi]
impl Api {
    /// Show the history of a certificate
    #[oai(
        path = "/certificates/:id/history",
        method = "get",
        tag = "Tag::Certificates",
        operation_id = "certificateHistory"
    )]
    async fn certificate_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("certificate", id.0), limit, offset).await
    }

    /// Show the history of an asset
    #[oai(path = "/assets/:id/history", method = "get", tag = "Tag::Assets", operation_id = "assetHistory")]
    async fn asset_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("asset", id.0), limit, offset).await
    }

    /// Show the history of a rule
    #[oai(path = "/rules/:id/history", method = "get", tag = "Tag::Rules", operation_id = "ruleHistory")]
    async fn rule_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("rule", id.0), limit, offset).await
    }

    /// Show the history of an activity template
    #[oai(
        path = "/activity-templates/:id/history",
        method = "get",
        tag = "Tag::Activities",
        operation_id = "activityTemplateHistory"
    )]
    async fn activity_template_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("activity_template", id.0), limit, offset).await
    }

    /// Show the history of an activity
    #[oai(path = "/activities/:id/history", method = "get", tag = "Tag::Activities", operation_id = "activityHistory")]
    async fn activity_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("activity", id.0), limit, offset).await
    }

    /// Show the history of an alarm
    #[oai(path = "/alarms/:id/history", method = "get", tag = "Tag::Alarms", operation_id = "alarmHistory")]
    async fn alarm_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("alarm", id.0), limit, offset).await
    }

    /// Show the history of a device type
    #[oai(
        path = "/device-types/:id/history",
        method = "get",
        tag = "Tag::DeviceTypes",
        operation_id = "deviceTypeHistory"
    )]
    async fn device_type_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("device_type", id.0), limit, offset).await
    }

    /// Show the history of an asset type
    #[oai(
        path = "/asset-types/:id/history",
        method = "get",
        tag = "Tag::AssetTypes",
        operation_id = "assetTypeHistory"
    )]
    async fn asset_type_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
    ) -> Result<Json<History>, Problem> {
        show(&state, &caller, ("asset_type", id.0), limit, offset).await
    }
}
