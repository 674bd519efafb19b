//! Domain events into rows of messages. Pure.

use domain::AnyEvent;
use domain::notification::{NotificationEvent, Stage};
use eventlog::Stream;

use super::NotificationRow;
use crate::fact::Fact;
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of notifications.
pub struct Notifications;

impl Fold for Notifications {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::EsActivity];
    const TABLES: &'static [&'static str] = &["notifications"];
    type Sheets = Sheet<NotificationRow>;

    fn sheets(sheets: &mut Self::Sheets) -> Vec<&mut dyn AnySheet> {
        vec![sheets]
    }

    fn touch(sheets: &mut Self::Sheets, fact: &Fact) {
        if matches!(fact.event, AnyEvent::Notification(_)) {
            sheets.want(fact.id);
        }
    }

    fn fold(notifications: &mut Self::Sheets, fact: &Fact) {
        let AnyEvent::Notification(event) = &fact.event else { return };
        if let NotificationEvent::NotificationRequested { channel_id, medium, notice } = event {
            notifications.put(NotificationRow {
                id: fact.id,
                organization_id: fact.organization,
                channel_id: channel_id.map(|channel| channel.0),
                medium: medium.clone(),
                notice: notice.clone(),
                status: Stage::Pending.to_string(),
                attempts: 0,
                due_at: Some(fact.at()),
                recipients: None,
                reason: None,
                created_at: fact.at(),
                updated_at: fact.at(),
                version: fact.version,
                position: fact.position,
            });
            return;
        }
        notifications.change(fact.id, |row| {
            change(row, event, fact);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    }
}

fn change(row: &mut NotificationRow, event: &NotificationEvent, fact: &Fact) {
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
            (row.attempts, row.due_at, row.reason) = (0, Some(fact.at()), None);
        }
    }
}
