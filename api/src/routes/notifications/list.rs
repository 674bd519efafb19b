//! Lists notifications.

use poem_openapi::Enum;
use projections::notification_outbox::read::{self, NotificationFilter};

use super::view::Notification;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The delivery status of a notification.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum NotificationStatus {
    Pending,
    Delivered,
    Failed,
}

impl NotificationStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

page! {
    /// One page of the list.
    Notifications { notifications: Notification }
}

#[OpenApi]
impl Api {
    /// List notifications
    ///
    /// Newest first. `total` is capped at 10,001.
    #[oai(
        path = "/notifications",
        method = "get",
        tag = "Tag::NotificationChannels",
        operation_id = "listNotifications"
    )]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        status: Query<Option<NotificationStatus>>,
        #[oai(name = "channelId")] channel_id: Query<Option<Uuid>>,
        #[oai(name = "alarmId")] alarm_id: Query<Option<Uuid>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Notifications>, Problem> {
        let filter = NotificationFilter {
            status: status.0.map(|status| status.as_str().to_owned()),
            channel_id: channel_id.0,
            alarm_id: alarm_id.0,
        };
        let page = read::list(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Notifications::new(page)))
    }
}
