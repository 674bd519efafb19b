//! Turns threshold events into notification requests: one for each channel of the organisation whose minimum severity
//! the event reaches, and one for the webhook that the event's rule names. The API role sends them.

#[cfg(test)]
mod tests;

use domain::catalogue::notification_channel::Medium;
use domain::directory::Directory;
use domain::ids::{NotificationChannelId, NotificationId, derive};
use domain::notification::NotificationCommand;
use domain::rule::RuleAction;
use domain::telemetry::ThresholdEvent;

use crate::stage::{Command, Effects};
use crate::threshold_event_stage::{EventContext, ThresholdEventStage};

/// The stage that requests notifications.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notifier;

impl ThresholdEventStage for Notifier {
    const NAME: &'static str = "notifier";

    fn react(&self, context: &mut EventContext<'_>, event: &ThresholdEvent, effects: &mut Effects) {
        for (channel_id, medium) in recipients(context.directory, event) {
            effects.commands.push(Command::Notification {
                organization: event.organization,
                id: id(event, channel_id),
                caused_by: event.event_id,
                command: NotificationCommand::RequestNotification { channel_id, medium, notice: event.into() },
            });
        }
    }
}

/// Lists the recipients of an event, as of the directory position that the event was found with. A recipient without a
/// channel is the webhook of the rule.
fn recipients(directory: &Directory, event: &ThresholdEvent) -> Vec<(Option<NotificationChannelId>, Medium)> {
    let channels = directory.as_of(event.es_position).channels(event.organization);
    let loud_enough = channels.filter(|(_, channel)| channel.minimum_severity <= event.severity);
    let mut found: Vec<_> = loud_enough.map(|(id, channel)| (Some(id), channel.medium.clone())).collect();
    if let Some(RuleAction::Webhook { url }) = &event.action {
        found.push((None, Medium::Webhook { url: url.clone() }));
    }
    found
}

/// Derives the id of a notification from event and channel, so that repeating a request has no effect.
fn id(event: &ThresholdEvent, channel: Option<NotificationChannelId>) -> NotificationId {
    let channel = channel.map_or_else(|| "rule".to_owned(), |channel| channel.to_string());
    NotificationId(derive(event.event_id, &["notification", &channel]))
}
