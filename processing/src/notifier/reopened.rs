//! Requests notifications of dismissed alarms that opened again, and of their return to normal. Only the alarm knows
//! that it was dismissed, so this follows its events instead of the threshold events.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::AnyEvent;
use domain::alarm::AlarmEvent;
use domain::ids::{AlarmId, OrganizationId};
use domain::notification::Notice;
use domain::telemetry::Transition;
use eventlog::{Message, RecordedEvent, Source, Stream, Upcasters, decode_events};
use uuid::Uuid;

use super::{Cause, requests};
use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext};

/// Name of the stage.
const NAME: &str = "reopening_notifier";

/// The stage that requests the notifications of reopened alarms.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReopeningNotifier;

/// A transition of a reopened alarm that is to be notified.
pub struct News {
    event: Uuid,
    organization: OrganizationId,
    notice: Notice,
}

impl Stage for ReopeningNotifier {
    const NAME: &'static str = NAME;
    const UNITS: u16 = 1;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(5);
    type State = ();
    type Input = Vec<News>;
    type Output = Effects;

    fn sources(_units: &BTreeSet<u16>) -> Vec<Source> {
        vec![Source::all(Stream::EsAlarm)]
    }

    fn unit(_message: &Message) -> Option<u16> {
        Some(0)
    }

    fn decode(message: &Message) -> Result<Vec<News>, String> {
        let events = decode_events(message, &Upcasters::of(domain::CONVERSIONS)).map_err(|error| error.to_string())?;
        events.into_iter().filter_map(|event| news(event).transpose()).collect()
    }

    fn step(&self, context: StepContext<'_, ()>, input: Vec<News>, output: &mut Effects) {
        metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(input.len() as u64);
        for News { event, organization, notice } in input {
            // An alarm's events name no position of the directory; ids derive from the event, so the newest will do.
            let directory = context.directory.as_of(context.directory.position());
            let rule = notice.rule_id.and_then(|rule| directory.rule(rule));
            let cause = Cause { event, organization, action: rule.map(|rule| &rule.definition.action) };
            output.commands.extend(requests(directory, cause, &notice));
        }
    }

    fn effects(&self, output: Effects) -> Effects {
        output
    }
}

/// Returns what an event tells of a reopened alarm, if a notification is due.
fn news(event: RecordedEvent) -> Result<Option<News>, String> {
    let id = |text: &str| text.parse::<Uuid>().map_err(|_| format!("{text} is not a valid id"));
    let (organization, alarm) = (OrganizationId(id(&event.organization)?), AlarmId(id(&event.aggregate_id)?));
    let known = AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload);
    let (transition, breach, value, at) = match known.map_err(|error| error.to_string())? {
        AnyEvent::Alarm(AlarmEvent::AlarmReopened { breach, value, at, announce: true }) => {
            (Transition::ThresholdBreach, breach, Some(value), at)
        }
        AnyEvent::Alarm(AlarmEvent::AlarmReturnedToNormal { value, at, reopened: Some(breach) }) => {
            (Transition::ReturnToNormal, breach, value, at)
        }
        _ => return Ok(None),
    };
    let notice = Notice {
        transition,
        alarm_id: Some(alarm),
        rule_id: Some(breach.rule_id),
        rule_name: Some(breach.rule_name),
        entity_type: breach.entity_type,
        entity_id: breach.entity_id,
        severity: breach.severity,
        metric_key: Some(breach.metric_key),
        value,
        measured_at: at,
    };
    Ok(Some(News { event: event.event_id, organization, notice }))
}
