//! Threshold events in, notifications asked for: one for each channel that an event concerns, and one for the address that
//! its rule names. One unit is one partition of entities. Sending them is not done here.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::catalogue::notification_channel::Medium;
use domain::directory::Directory;
use domain::ids::{NotificationChannelId, NotificationId, derive};
use domain::notification::NotificationCommand;
use domain::rule::RuleAction;
use domain::telemetry::ThresholdEvent;
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::metric_names;
use crate::stage::{Command, Effects, Stage, StepContext, filters};

/// Name of the stage; actor of its commands.
const NAME: &str = "notifier";

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notifier;

impl Stage for Notifier {
    const NAME: &'static str = NAME;
    const UNITS: u16 = PARTITIONS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(5);
    type State = ();
    type Input = Vec<ThresholdEvent>;
    type Output = Effects;

    fn sources(units: &BTreeSet<u16>) -> Vec<Source> {
        let events = filters::<Self>(units, |partition| vec![format!("{partition}.*")]);
        vec![Source::filtered(Stream::EventsThreshold, events)]
    }

    fn unit(message: &Message) -> Option<u16> {
        message.subject_tail().split('.').next()?.parse().ok().filter(|partition| *partition < PARTITIONS)
    }

    fn decode(message: &Message) -> Result<Vec<ThresholdEvent>, String> {
        serde_json::from_slice(&message.payload).map_err(|error| format!("{error}: {}", message.subject))
    }

    fn es_position(input: &Vec<ThresholdEvent>) -> u64 {
        input.iter().map(|event| event.es_position).max().unwrap_or(0)
    }

    fn step(&self, context: StepContext<'_, ()>, input: Vec<ThresholdEvent>, output: &mut Effects) {
        let mut mark = context.unit.marks.of(&context.message.subject);
        for event in input.iter().filter(|event| mark.admits(event.origin)) {
            metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(1);
            for (channel_id, medium) in recipients(context.directory, event) {
                output.commands.push(Command::Notification {
                    organization: event.organization,
                    id: id(event, channel_id),
                    caused_by: event.event_id,
                    command: NotificationCommand::RequestNotification { channel_id, medium, notice: event.into() },
                });
            }
        }
    }

    fn effects(&self, output: Effects) -> Effects {
        output
    }
}

/// Lists whom an event concerns, as of the position of the directory that it was found with.
fn recipients(directory: &Directory, event: &ThresholdEvent) -> Vec<(Option<NotificationChannelId>, Medium)> {
    let channels = directory.as_of(event.es_position).channels(event.organization);
    let loud_enough = channels.filter(|(_, channel)| channel.minimum_severity <= event.severity);
    let mut found: Vec<_> = loud_enough.map(|(id, channel)| (Some(id), channel.medium.clone())).collect();
    if let Some(RuleAction::Webhook { url }) = &event.action {
        found.push((None, Medium::Webhook { url: url.clone() }));
    }
    found
}

/// Derives the id of a notification: the same for one transition and one channel, whoever asks and however often.
fn id(event: &ThresholdEvent, channel: Option<NotificationChannelId>) -> NotificationId {
    let channel = channel.map_or_else(|| "rule".to_owned(), |channel| channel.to_string());
    NotificationId(derive(event.event_id, &["notification", &channel]))
}
