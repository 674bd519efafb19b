//! Revisions of a rule: turns a changed definition into one event per changed part. Validation lives in `validate`.

use super::{RuleDefinition, RuleEvent, RuleRevision};

/// Returns the definition with the revision's parts replaced.
pub(super) fn merged(present: &RuleDefinition, revision: RuleRevision) -> RuleDefinition {
    RuleDefinition {
        name: revision.name.unwrap_or_else(|| present.name.clone()),
        description: revision.description.unwrap_or_else(|| present.description.clone()),
        entity_type: present.entity_type,
        entity_id: present.entity_id,
        type_id: present.type_id,
        metric_key: revision.metric_key.unwrap_or_else(|| present.metric_key.clone()),
        condition: revision.condition.unwrap_or_else(|| present.condition.clone()),
        severity: revision.severity.unwrap_or(present.severity),
        action: revision.action.unwrap_or_else(|| present.action.clone()),
        cooldown_seconds: revision.cooldown_seconds.unwrap_or(present.cooldown_seconds),
        is_active: revision.is_active.unwrap_or(present.is_active),
    }
}

/// Lists the events that lead from one definition to the other.
pub(super) fn changes(from: &RuleDefinition, to: RuleDefinition) -> Vec<RuleEvent> {
    let mut events = vec![];
    if (&from.name, &from.description) != (&to.name, &to.description) {
        events.push(RuleEvent::RuleRenamed { name: to.name, description: to.description });
    }
    if (&from.metric_key, &from.condition) != (&to.metric_key, &to.condition) {
        events.push(RuleEvent::RuleConditionChanged { metric_key: to.metric_key, condition: to.condition });
    }
    if from.severity != to.severity {
        events.push(RuleEvent::RuleSeverityChanged { severity: to.severity });
    }
    if from.action != to.action {
        events.push(RuleEvent::RuleActionChanged { action: to.action });
    }
    if from.cooldown_seconds != to.cooldown_seconds {
        events.push(RuleEvent::RuleCooldownChanged { cooldown_seconds: to.cooldown_seconds });
    }
    match (from.is_active, to.is_active) {
        (false, true) => events.push(RuleEvent::RuleActivated {}),
        (true, false) => events.push(RuleEvent::RuleDeactivated {}),
        _ => {}
    }
    events
}

/// Applies an event to a definition; defining and retiring a rule are handled by the aggregate.
pub(super) fn apply(definition: &mut RuleDefinition, event: RuleEvent) {
    match event {
        RuleEvent::RuleRenamed { name, description } => {
            definition.name = name;
            definition.description = description;
        }
        RuleEvent::RuleConditionChanged { metric_key, condition } => {
            definition.metric_key = metric_key;
            definition.condition = condition;
        }
        RuleEvent::RuleSeverityChanged { severity } => definition.severity = severity,
        RuleEvent::RuleActionChanged { action } => definition.action = action,
        RuleEvent::RuleCooldownChanged { cooldown_seconds } => definition.cooldown_seconds = cooldown_seconds,
        RuleEvent::RuleActivated {} => definition.is_active = true,
        RuleEvent::RuleDeactivated {} => definition.is_active = false,
        RuleEvent::RuleDefined { .. } | RuleEvent::RuleRetired {} => {}
    }
}
