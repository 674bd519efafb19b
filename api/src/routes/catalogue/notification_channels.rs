//! Channels by which people and programs are told.

use domain::catalogue::notification_channel::{ChannelDefinition, Medium as DomainMedium};
use poem_openapi::Union;
use projections::catalogue::EntryRow;

use super::{CatalogueEntry, define, find, list, retire, revise};
use crate::enums::Severity;
use crate::etag::Versioned;
use crate::prelude::*;

/// The endpoints.
#[derive(Default)]
pub struct Api;

/// A program, at an address.
#[derive(Debug, Object)]
#[oai(rename = "WebhookMedium")]
struct Webhook {
    /// `https://…`.
    url: String,
}

/// Everybody with one of these work roles.
#[derive(Debug, Object)]
#[oai(rename = "PeopleMedium", rename_all = "camelCase")]
struct People {
    work_roles: Vec<String>,
}

/// The same, on their screens.
#[derive(Debug, Object)]
#[oai(rename = "PushMedium", rename_all = "camelCase")]
struct Push {
    work_roles: Vec<String>,
}

/// Whom a channel reaches, and how.
#[derive(Debug, Union)]
#[oai(rename = "NotificationMedium", discriminator_name = "type", one_of = true)]
enum Medium {
    #[oai(mapping = "webhook")]
    Webhook(Webhook),
    #[oai(mapping = "email")]
    Email(People),
    #[oai(mapping = "push")]
    Push(Push),
}

/// What a channel says.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ChannelRequest {
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    medium: Medium,
    /// Alarms below are not told; `low` by default.
    #[oai(nullable)]
    minimum_severity: Option<Severity>,
    /// True by default.
    #[oai(nullable)]
    is_active: Option<bool>,
}

/// A channel.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct NotificationChannel {
    #[oai(flatten)]
    entry: CatalogueEntry,
    name: String,
    description: Option<String>,
    medium: Medium,
    minimum_severity: Severity,
    is_active: bool,
}

/// One of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct NotificationChannelResponse {
    notification_channel: NotificationChannel,
}

impl Versioned for NotificationChannelResponse {
    fn version(&self) -> i64 {
        self.notification_channel.entry.version
    }
}

impl From<ChannelRequest> for ChannelDefinition {
    fn from(request: ChannelRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            medium: match request.medium {
                Medium::Webhook(Webhook { url }) => DomainMedium::Webhook { url },
                Medium::Email(People { work_roles }) => DomainMedium::Email { work_roles },
                Medium::Push(Push { work_roles }) => DomainMedium::Push { work_roles },
            },
            minimum_severity: request.minimum_severity.unwrap_or(Severity::Low).into(),
            is_active: request.is_active.unwrap_or(true),
        }
    }
}

impl From<EntryRow<ChannelDefinition>> for NotificationChannel {
    fn from(row: EntryRow<ChannelDefinition>) -> Self {
        let (entry, channel) = (CatalogueEntry::from(&row), row.definition);
        Self {
            entry,
            name: channel.name,
            description: channel.description,
            medium: match channel.medium {
                DomainMedium::Webhook { url } => Medium::Webhook(Webhook { url }),
                DomainMedium::Email { work_roles } => Medium::Email(People { work_roles }),
                DomainMedium::Push { work_roles } => Medium::Push(Push { work_roles }),
            },
            minimum_severity: channel.minimum_severity.into(),
            is_active: channel.is_active,
        }
    }
}

impl From<EntryRow<ChannelDefinition>> for NotificationChannelResponse {
    fn from(row: EntryRow<ChannelDefinition>) -> Self {
        Self { notification_channel: row.into() }
    }
}

/// Some of them.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct NotificationChannels {
    notification_channels: Vec<NotificationChannel>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// Define a notification channel
    ///
    /// Channels are entry here; this version of the platform sends nothing over them yet.
    #[oai(
        path = "/notification-channels",
        method = "post",
        tag = "Tag::NotificationChannels",
        operation_id = "createNotificationChannel"
    )]
    async fn create(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageChannels>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<ChannelRequest>,
    ) -> Result<Created<NotificationChannelResponse>, Problem> {
        let (row, receipt) = define(&state, &caller, &intent, ChannelDefinition::from(body.0)).await?;
        Ok(Created(NotificationChannelResponse::from(row), receipt))
    }

    /// Show a notification channel
    #[oai(
        path = "/notification-channels/:id",
        method = "get",
        tag = "Tag::NotificationChannels",
        operation_id = "getNotificationChannel"
    )]
    async fn get(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<NotificationChannelResponse>, Problem> {
        Ok(Fetched(find::<ChannelDefinition>(&state, &caller, id.0).await?.into()))
    }

    /// List notification channels
    #[oai(
        path = "/notification-channels",
        method = "get",
        tag = "Tag::NotificationChannels",
        operation_id = "listNotificationChannels"
    )]
    async fn list(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Retired ones too.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<NotificationChannels>, Problem> {
        let page = list::<ChannelDefinition>(&state, &caller, retired, paging(limit, offset, &cursor)?).await?;
        let page = page.map(NotificationChannel::from);
        Ok(Json(NotificationChannels {
            notification_channels: page.items,
            total: page.total,
            next_cursor: next_cursor(page.next),
        }))
    }

    /// Revise a notification channel
    ///
    /// Takes the whole of it; what is left out is gone.
    #[oai(
        path = "/notification-channels/:id",
        method = "put",
        tag = "Tag::NotificationChannels",
        operation_id = "updateNotificationChannel"
    )]
    async fn update(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageChannels>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<ChannelRequest>,
    ) -> Result<Revised<NotificationChannelResponse>, Problem> {
        let (row, receipt) =
            revise(&state, &caller, (&intent, expected), id.0, ChannelDefinition::from(body.0)).await?;
        Ok(Revised(row.into(), receipt))
    }

    /// Retire a notification channel
    ///
    /// For good.
    #[oai(
        path = "/notification-channels/:id",
        method = "delete",
        tag = "Tag::NotificationChannels",
        operation_id = "retireNotificationChannel"
    )]
    async fn retire(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageChannels>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        retire::<ChannelDefinition>(&state, &caller, (&intent, expected), id.0).await
    }
}
