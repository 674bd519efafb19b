//! Turns threshold events into notification requests: one for each channel of the organisation whose minimum severity
//! the event reaches, and one for the webhook that the event's rule names. So does [`ReopeningNotifier`] with dismissed
//! alarms that opened again. The API role sends them.

mod reopened;
#[cfg(test)]
mod tests;

use domain::catalogue::notification_channel::Medium;
use domain::directory::DirectoryView;
use domain::ids::{NotificationChannelId, NotificationId, OrganizationId, derive};
use domain::notification::{Notice, NotificationCommand};
use domain::rule::RuleAction;
use domain::telemetry::ThresholdEvent;
use uuid::Uuid;

pub use reopened::ReopeningNotifier;

use crate::stage::{Command, Effects};
use crate::threshold_event_stage::{EventContext, ThresholdEventStage};

/// The stage that requests notifications.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notifier;

impl ThresholdEventStage for Notifier {
    const NAME: &'static str = "notifier";

    fn react(&self, context: &mut EventContext<'_>, event: &ThresholdEvent, effects: &mut Effects) {
        let cause = Cause { event: event.event_id, organization: event.organization, action: event.action.as_ref() };
        effects.commands.extend(requests(context.directory.as_of(event.es_position), cause, &event.into()));
    }
}

/// What a notification is requested for.
#[derive(Clone, Copy)]
struct Cause<'a> {
    /// The id of the event.
    event: Uuid,
    /// Its organisation.
    organization: OrganizationId,
    /// The action of the rule.
    action: Option<&'a RuleAction>,
}

/// Requests one notification for each recipient.
fn requests(directory: DirectoryView<'_>, cause: Cause<'_>, notice: &Notice) -> Vec<Command> {
    let request = |(channel_id, medium)| Command::Notification {
        organization: cause.organization,
        id: id(cause.event, channel_id),
        caused_by: cause.event,
        command: NotificationCommand::RequestNotification { channel_id, medium, notice: notice.clone() },
    };
    recipients(directory, cause, notice).into_iter().map(request).collect()
}

/// Lists the recipients of a notice. A recipient without a channel is the webhook of the rule.
fn recipients(
    directory: DirectoryView<'_>,
    cause: Cause<'_>,
    notice: &Notice,
) -> Vec<(Option<NotificationChannelId>, Medium)> {
    let channels = directory.channels(cause.organization);
    let loud_enough = channels.filter(|(_, channel)| channel.minimum_severity <= notice.severity);
    let mut found: Vec<_> = loud_enough.map(|(id, channel)| (Some(id), channel.medium.clone())).collect();
    if let Some(RuleAction::Webhook { url }) = cause.action {
        found.push((None, Medium::Webhook { url: url.clone() }));
    }
    found
}

/// Derives the id of a notification from event and channel, so that repeating a request has no effect.
fn id(event: Uuid, channel: Option<NotificationChannelId>) -> NotificationId {
    let channel = channel.map_or_else(|| "rule".to_owned(), |channel| channel.to_string());
    NotificationId(derive(event, &["notification", &channel]))
}
