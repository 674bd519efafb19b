//! Threshold events in, work orders out. One unit is one partition of entities.

#[cfg(test)]
mod tests;
mod work_orders;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::activity::ActivityCommand;
use domain::ids::ActivityId;
use domain::telemetry::{ActivityNotice, Origin, ThresholdEvent};
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::metric_names;
use crate::stage::{Command, Effects, Stage, StepContext, filters};
use work_orders::work_orders;

/// Name of the stage; actor of its commands.
const NAME: &str = "activity_creator";

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivityCreator;

impl Stage for ActivityCreator {
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
        let Some(partition) = Self::unit(context.message) else { return };
        let mut mark = context.unit.marks.of(&context.message.subject);
        let mut origin = Origin { sequence: context.message.sequence, ordinal: 0 };
        for event in input.iter().filter(|event| mark.admits(event.origin)) {
            metrics::counter!(metric_names::TAKEN, "stage" => NAME).increment(1);
            for (id, order) in work_orders(context.directory, event) {
                let notice = notice(origin, event, id, &order);
                origin.ordinal += 1;
                output.commands.push(Command::Activity {
                    organization: event.organization,
                    id,
                    command_id: id.0,
                    caused_by: event.event_id,
                    command: ActivityCommand::CreateActivity { order },
                });
                // A notice is text, numbers and times; there is nothing in it that JSON cannot hold.
                if let Ok(json) = serde_json::to_vec(&notice) {
                    output.publish(Stream::ActivitiesCreated, format!("{partition}.{partition}"), json);
                }
            }
        }
    }

    fn effects(&self, output: Effects) -> Effects {
        output
    }
}

fn notice(
    origin: Origin,
    event: &ThresholdEvent,
    id: ActivityId,
    order: &domain::activity::WorkOrder,
) -> ActivityNotice {
    ActivityNotice {
        origin,
        activity_id: id,
        organization: event.organization,
        name: order.name.clone(),
        priority: order.priority,
        assigned_to: order.assigned_role.clone(),
        due_at: order.due_at,
        target_type: order.target_type,
        target_id: order.target_id,
        template_id: order.template_id.unwrap_or_default(),
        alarm_id: order.alarm_id,
    }
}
