//! Resends a failed notification.

use domain::notification::{Notification, NotificationCommand};

use super::view::{NotificationResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Resend a notification
    ///
    /// Retries a failed notification under the same id.
    #[oai(
        path = "/notifications/:id/resend",
        method = "post",
        tag = "Tag::NotificationChannels",
        operation_id = "resendNotification"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageChannels>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Revised<NotificationResponse>, Problem> {
        let (context, command) = (intent.context(&caller), NotificationCommand::ResendNotification {});
        let receipt = state.commands.execute_at::<Notification>(&context, id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
