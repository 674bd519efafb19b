//! Shows what was ever done to a thing: each event with its author, its cause and the fields that it changed. Devices,
//! whose history has their certificates and links in it, have an endpoint of their own.

pub mod view;

use projections::time_travel::history;

use self::view::HistoryEvent;
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
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

async fn show(
    state: &State,
    organization: Uuid,
    (kind, id): (&'static str, Uuid),
    paging: InMemoryPaging,
) -> Result<Json<History>, Problem> {
    let entries = history(&state.reader, organization, kind, id).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(&kind.replace('_', " ")));
    }
    let (events, total, next_cursor) = paging.page(entries, |entry| entry.row.event_id)?;
    let events = events.into_iter().map(HistoryEvent::from).collect();
    Ok(Json(History { entity_id: id, events, total, next_cursor }))
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("certificate", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("asset", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("rule", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }

    /// Show the history of an activity template
    #[oai(
        path = "/activity-templates/:id/history",
        method = "get",
        tag = "Tag::ActivityTemplates",
        operation_id = "activityTemplateHistory"
    )]
    async fn activity_template_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("activity_template", id.0), InMemoryPaging::new(limit, offset, &cursor)?)
            .await
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("activity", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("alarm", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("device_type", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
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
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("asset_type", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }

    /// Show the history of an activity type
    #[oai(
        path = "/activity-types/:id/history",
        method = "get",
        tag = "Tag::ActivityTypes",
        operation_id = "activityTypeHistory"
    )]
    async fn activity_type_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("activity_type", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }

    /// Show the history of an asset profile
    #[oai(
        path = "/asset-profiles/:id/history",
        method = "get",
        tag = "Tag::AssetProfiles",
        operation_id = "assetProfileHistory"
    )]
    async fn asset_profile_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("asset_profile", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }

    /// Show the history of a notification channel
    #[oai(
        path = "/notification-channels/:id/history",
        method = "get",
        tag = "Tag::NotificationChannels",
        operation_id = "notificationChannelHistory"
    )]
    async fn notification_channel_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(
            &state,
            caller.organization.0,
            ("notification_channel", id.0),
            InMemoryPaging::new(limit, offset, &cursor)?,
        )
        .await
    }

    /// Show the history of a protocol converter
    #[oai(
        path = "/protocol-converters/:id/history",
        method = "get",
        tag = "Tag::ProtocolConverters",
        operation_id = "protocolConverterHistory"
    )]
    async fn protocol_converter_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("protocol_converter", id.0), InMemoryPaging::new(limit, offset, &cursor)?)
            .await
    }

    /// Show the history of an API key
    #[oai(path = "/api-keys/:id/history", method = "get", tag = "Tag::ApiKeys", operation_id = "apiKeyHistory")]
    async fn api_key_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageApiKeys>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("api_key", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }

    /// Show the history of a person
    #[oai(path = "/users/:id/history", method = "get", tag = "Tag::Users", operation_id = "userHistory")]
    async fn user_history(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, caller.organization.0, ("user", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }

    /// Show the history of an organisation
    #[oai(
        path = "/organizations/:id/history",
        method = "get",
        tag = "Tag::Organizations",
        operation_id = "organizationHistory"
    )]
    async fn organization_history(
        &self,
        state: Data<&State>,
        _caller: Allowed<access::ManageOrganizations>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<History>, Problem> {
        show(&state, id.0, ("organization", id.0), InMemoryPaging::new(limit, offset, &cursor)?).await
    }
}
