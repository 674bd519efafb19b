//! The work orders that follow from a threshold event.

use domain::activity::WorkOrder;
use domain::activity_template::TriggerEventType;
use domain::directory::{Directory, DirectoryView, TemplateEntry};
use domain::ids::{ActivityId, derive};
use domain::rule::RuleAction;
use domain::telemetry::{ThresholdEvent, Transition};

/// Returns the work orders of an event. Their ids derive from event and template, so creating one again has no effect.
pub fn work_orders(directory: &Directory, event: &ThresholdEvent) -> Vec<(ActivityId, WorkOrder)> {
    let directory = directory.as_of(event.es_position);
    templates(directory, event).into_iter().map(|template| (id(event, template), order(event, template))).collect()
}

/// Returns the active templates that apply to an event.
fn templates<'d>(directory: DirectoryView<'d>, event: &ThresholdEvent) -> Vec<&'d TemplateEntry> {
    let triggered_by = |trigger| {
        let active = directory.templates(event.organization);
        active.filter(|template| template.definition.trigger_event_type == trigger).collect()
    };
    match (event.transition, &event.action) {
        (Transition::ThresholdBreach, Some(RuleAction::CreateActivity { template_id: Some(id) })) => {
            let named = directory.template(*id).into_iter();
            named.filter(|template| template.is_active() && template.organization == event.organization).collect()
        }
        (Transition::ThresholdBreach, Some(RuleAction::CreateActivity { template_id: None })) => {
            triggered_by(TriggerEventType::ThresholdBreach)
        }
        (Transition::DeviceOffline, _) => triggered_by(TriggerEventType::DeviceOffline),
        (Transition::ThresholdBreach | Transition::ReturnToNormal, _) => Vec::new(),
    }
}

fn id(event: &ThresholdEvent, template: &TemplateEntry) -> ActivityId {
    ActivityId(derive(event.event_id, &[&template.template.to_string()]))
}

fn order(event: &ThresholdEvent, template: &TemplateEntry) -> WorkOrder {
    let definition = &template.definition;
    WorkOrder {
        template_id: Some(template.template),
        name: definition.name.clone(),
        description: definition.description.clone(),
        target_type: event.entity_type,
        target_id: event.entity_id,
        priority: if event.rule_id.is_some() { event.severity } else { definition.default_priority },
        assigned_role: definition.default_assigned_role.clone(),
        assigned_user_id: None,
        due_at: definition.due_at(event.measured_at),
        checklist: definition.checklist.clone(),
        alarm_id: event.alarm_id,
    }
}
