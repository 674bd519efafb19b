//! Turns threshold events into work orders: one command and one notice for each.

#[cfg(test)]
mod tests;
mod work_orders;

use domain::activity::{ActivityCommand, WorkOrder};
use domain::ids::ActivityId;
use domain::telemetry::{ActivityNotice, Origin, ThresholdEvent};
use eventlog::Stream;

use crate::stage::{Command, Effects};
use crate::threshold_event_stage::{EventContext, ThresholdEventStage};
use work_orders::work_orders;

/// The stage that creates activities.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivityCreator;

impl ThresholdEventStage for ActivityCreator {
    const NAME: &'static str = "activity_creator";

    fn react(&self, context: &mut EventContext<'_>, event: &ThresholdEvent, effects: &mut Effects) {
        for (id, order) in work_orders(context.directory, event) {
            let notice = notice(context.next_origin(), event, id, &order);
            effects.commands.push(Command::Activity {
                organization: event.organization,
                id,
                command_id: id.0,
                caused_by: event.event_id,
                command: ActivityCommand::CreateActivity { order },
            });
            // Serialising a notice cannot fail: it holds only strings, numbers and times.
            if let Ok(json) = serde_json::to_vec(&notice) {
                let partition = context.partition;
                effects.publish(Stream::ActivitiesCreated, format!("{partition}.{partition}"), json);
            }
        }
    }
}

fn notice(origin: Origin, event: &ThresholdEvent, id: ActivityId, order: &WorkOrder) -> ActivityNotice {
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
