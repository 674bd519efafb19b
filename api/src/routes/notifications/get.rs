//! Shows a notification.

use super::view::{NotificationResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a notification
    #[oai(
        path = "/notifications/:id",
        method = "get",
        tag = "Tag::NotificationChannels",
        operation_id = "getNotification"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<NotificationResponse>, Problem> {
        Ok(Fetched(find(&state, &caller, id.0).await?))
    }
}
