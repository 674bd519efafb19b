//! Notification channels, over which people and programs are notified.

use domain::catalogue::notification_channel::{ChannelDefinition, Medium as DomainMedium};
use poem_openapi::Union;
use projections::catalogue::EntryRow;

use super::endpoints::catalogue_endpoints;
use super::entries::CatalogueEntry;
use crate::enums::Severity;
use crate::prelude::*;

/// A webhook: an HTTPS endpoint.
#[derive(Debug, Object)]
#[oai(rename = "WebhookMedium")]
struct Webhook {
    /// `https://…`.
    #[oai(validator(min_length = 1, max_length = 2000))]
    url: String,
}

/// Mail to every user with one of these work roles.
#[derive(Debug, Object)]
#[oai(rename = "PeopleMedium", rename_all = "camelCase")]
struct People {
    work_roles: Vec<String>,
}

/// A push notification on the screens of every user with one of these work roles.
#[derive(Debug, Object)]
#[oai(rename = "PushMedium", rename_all = "camelCase")]
struct Push {
    work_roles: Vec<String>,
}

/// Whom a channel reaches, and by which medium.
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

/// The definition of a notification channel.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ChannelRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    medium: Medium,
    /// Alarms of lower severity are not sent; defaults to `low`.
    #[oai(nullable)]
    minimum_severity: Option<Severity>,
    /// Defaults to true.
    #[oai(nullable)]
    is_active: Option<bool>,
}

/// A notification channel.
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

catalogue_endpoints! {
    ChannelDefinition from ChannelRequest, shown as NotificationChannel,
    NotificationChannelResponse { notification_channel }, NotificationChannels { notification_channels },
    writers access::ManageChannels, used as None, tag "Tag::NotificationChannels",
    "/notification-channels" {
        /// Define a notification channel
        ///
        /// Alarms of `minimumSeverity` or higher are sent over the channel.
        post "createNotificationChannel",
        /// List notification channels
        get "listNotificationChannels",
    }
    "/notification-channels/:id" {
        /// Show a notification channel
        get "getNotificationChannel",
        /// Revise a notification channel
        ///
        /// Replaces the whole definition; omitted fields are removed.
        put "updateNotificationChannel",
        /// Retire a notification channel
        ///
        /// A retired channel cannot be reactivated.
        delete "retireNotificationChannel",
    }
}
