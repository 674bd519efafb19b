//! Folds domain events into rows of notifications. Pure.

use domain::AnyEvent;
use domain::notification::{NotificationEvent, Stage};
use eventlog::Stream;

use super::NotificationRow;
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};

/// The fold of notifications.
pub struct Notifications;

impl Fold for Notifications {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::EsActivity];
    const TABLES: &'static [&'static str] = &["notifications"];
    type Rows = RowBatch<NotificationRow>;

    fn row_batches(rows: &mut Self::Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![rows]
    }

    fn request_rows(rows: &mut Self::Rows, decoded: &DecodedEvent) {
        if matches!(decoded.event, AnyEvent::Notification(_)) {
            rows.request(decoded.id);
        }
    }

    fn fold(notifications: &mut Self::Rows, decoded: &DecodedEvent) {
        let AnyEvent::Notification(event) = &decoded.event else { return };
        if let NotificationEvent::NotificationRequested { channel_id, medium, notice } = event {
            notifications.upsert(NotificationRow {
                id: decoded.id,
                organization_id: decoded.organization,
                channel_id: channel_id.map(|channel| channel.0),
                medium: medium.clone(),
                notice: notice.clone(),
                status: Stage::Pending.to_string(),
                attempts: 0,
                due_at: Some(decoded.recorded_at()),
                recipients: None,
                reason: None,
                created_at: decoded.recorded_at(),
                updated_at: decoded.recorded_at(),
                version: decoded.version,
                position: decoded.position,
            });
            return;
        }
        notifications.update(decoded.id, |row| {
            change(row, event, decoded);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    }
}

fn change(row: &mut NotificationRow, event: &NotificationEvent, decoded: &DecodedEvent) {
    let mut end = |stage: Stage| {
        row.status = stage.to_string();
        row.due_at = None;
    };
    match event {
        NotificationEvent::NotificationRequested { .. } => {}
        NotificationEvent::NotificationAttempted { attempt, retry_at } => {
            row.attempts = i64::from(*attempt);
            row.due_at = Some(*retry_at);
        }
        NotificationEvent::NotificationDelivered { recipients } => {
            end(Stage::Delivered);
            row.recipients = Some(i64::from(*recipients));
        }
        NotificationEvent::NotificationPushed { recipients, .. } => {
            end(Stage::Delivered);
            row.recipients = i64::try_from(recipients.len()).ok();
        }
        NotificationEvent::NotificationRefused { reason, .. } => row.reason = Some(reason.clone()),
        NotificationEvent::NotificationFailed { reason } => {
            end(Stage::Failed);
            row.reason = Some(reason.clone());
        }
        NotificationEvent::NotificationResent {} => {
            row.status = Stage::Pending.to_string();
            (row.attempts, row.due_at, row.reason) = (0, Some(decoded.recorded_at()), None);
        }
    }
}
