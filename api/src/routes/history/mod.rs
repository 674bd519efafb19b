//! Shows the history of a resource: each event with its author, its cause and the fields that it changed. Devices have
//! an endpoint of their own (`devices::history`), because their history includes certificates and links.

pub mod view;

use projections::time_travel::history;

use self::view::HistoryEvent;
use crate::prelude::*;

/// The endpoints.
pub type Endpoints = (Api, OrganizationApi);

/// The endpoints of everything that belongs to the caller's organisation.
#[derive(Default)]
pub struct Api;

/// The endpoint of organisations, whose history is recorded in the organisation itself, not in the caller's.
#[derive(Default)]
pub struct OrganizationApi;

page! {
    /// One page of the events, newest first.
    History(entity_id: Uuid) { events: HistoryEvent }
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
    let page = paging.page(entries, |entry| entry.row.event_id)?;
    Ok(Json(History::new(id, page)))
}

/// Declares the endpoints: each kind has the same parameters and the same answer. Paths, operation ids and tags are
/// literals, because poem-openapi reads them at compile time.
macro_rules! histories {
    ($($(#[$doc:meta])* $name:ident: $path:literal, $operation:literal, $tag:literal, $access:ty, $kind:literal;)*) => {
        #[OpenApi]
        impl Api {
            $(
                $(#[$doc])*
                #[oai(path = $path, method = "get", tag = $tag, operation_id = $operation)]
                async fn $name(
                    &self,
                    state: Data<&State>,
                    caller: Allowed<$access>,
                    id: Path<Uuid>,
                    limit: Query<Option<i64>>,
                    offset: Query<Option<i64>>,
                    cursor: Cursor,
                ) -> Result<Json<History>, Problem> {
                    let paging = InMemoryPaging::new(limit, offset, &cursor)?;
                    show(&state, caller.organization.0, ($kind, id.0), paging).await
                }
            )*
        }
    };
}

histories! {
    /// Show the history of a certificate
    certificate_history: "/certificates/:id/history", "certificateHistory",
        "Tag::Certificates", access::Read, "certificate";
    /// Show the history of an asset
    asset_history: "/assets/:id/history", "assetHistory",
        "Tag::Assets", access::Read, "asset";
    /// Show the history of a rule
    rule_history: "/rules/:id/history", "ruleHistory",
        "Tag::Rules", access::Read, "rule";
    /// Show the history of an activity template
    activity_template_history: "/activity-templates/:id/history", "activityTemplateHistory",
        "Tag::ActivityTemplates", access::Read, "activity_template";
    /// Show the history of an activity
    activity_history: "/activities/:id/history", "activityHistory",
        "Tag::Activities", access::Read, "activity";
    /// Show the history of an alarm
    alarm_history: "/alarms/:id/history", "alarmHistory",
        "Tag::Alarms", access::Read, "alarm";
    /// Show the history of a device type
    device_type_history: "/device-types/:id/history", "deviceTypeHistory",
        "Tag::DeviceTypes", access::Read, "device_type";
    /// Show the history of an asset type
    asset_type_history: "/asset-types/:id/history", "assetTypeHistory",
        "Tag::AssetTypes", access::Read, "asset_type";
    /// Show the history of an activity type
    activity_type_history: "/activity-types/:id/history", "activityTypeHistory",
        "Tag::ActivityTypes", access::Read, "activity_type";
    /// Show the history of an asset profile
    asset_profile_history: "/asset-profiles/:id/history", "assetProfileHistory",
        "Tag::AssetProfiles", access::Read, "asset_profile";
    /// Show the history of a notification channel
    notification_channel_history: "/notification-channels/:id/history", "notificationChannelHistory",
        "Tag::NotificationChannels", access::Read, "notification_channel";
    /// Show the history of a protocol converter
    protocol_converter_history: "/protocol-converters/:id/history", "protocolConverterHistory",
        "Tag::ProtocolConverters", access::Read, "protocol_converter";
    /// Show the history of an API key
    api_key_history: "/api-keys/:id/history", "apiKeyHistory",
        "Tag::ApiKeys", access::ManageApiKeys, "api_key";
    /// Show the history of a user
    user_history: "/users/:id/history", "userHistory",
        "Tag::Users", access::ManageUsers, "user";
}

#[OpenApi]
impl OrganizationApi {
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
