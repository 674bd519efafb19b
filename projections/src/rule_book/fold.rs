//! Folds domain events into rows of rules and templates. Pure.

use domain::AnyEvent;
use domain::activity_template::{ActivityTemplateEvent, TemplateDefinition};
use domain::rule::{RuleDefinition, RuleEvent};
use eventlog::Stream;

use super::{RuleRow, TemplateRow};
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::enum_text;

/// The fold of rules and templates.
pub struct Rules;

/// The rows that a batch has loaded, by table.
#[derive(Default)]
pub struct Rows {
    pub(crate) rules: RowBatch<RuleRow>,
    pub(crate) templates: RowBatch<TemplateRow>,
}

impl Fold for Rules {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["threshold_rules", "activity_templates"];
    type Rows = Rows;

    fn row_batches(rows: &mut Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![&mut rows.rules, &mut rows.templates]
    }

    fn request_rows(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::Rule(_) => rows.rules.request(decoded.id),
            AnyEvent::ActivityTemplate(_) => rows.templates.request(decoded.id),
            _ => {}
        }
    }

    fn fold(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::Rule(event) => fold_rule(&mut rows.rules, decoded, event),
            AnyEvent::ActivityTemplate(event) => fold_template(&mut rows.templates, decoded, event),
            _ => {}
        }
    }
}

fn fold_rule(rules: &mut RowBatch<RuleRow>, decoded: &DecodedEvent, event: &RuleEvent) {
    let mut update = |change: &dyn Fn(&mut RuleRow)| {
        rules.update(decoded.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    };
    match event {
        RuleEvent::RuleDefined { definition } => rules.upsert(rule(definition, decoded)),
        RuleEvent::RuleRenamed { name, description } => update(&|row| {
            row.name.clone_from(name);
            row.description.clone_from(description);
        }),
        RuleEvent::RuleConditionChanged { metric_key, condition } => update(&|row| {
            row.metric_key.clone_from(metric_key);
            row.condition.clone_from(condition);
        }),
        RuleEvent::RuleSeverityChanged { severity } => update(&|row| row.severity = severity.to_string()),
        RuleEvent::RuleActionChanged { action } => update(&|row| row.action.clone_from(action)),
        RuleEvent::RuleCooldownChanged { cooldown_seconds } => {
            update(&|row| row.cooldown_seconds = i64::from(*cooldown_seconds));
        }
        RuleEvent::RuleActivated {} => update(&|row| row.is_active = true),
        RuleEvent::RuleDeactivated {} => update(&|row| row.is_active = false),
        RuleEvent::RuleRetired {} => update(&|row| {
            row.is_active = false;
            row.retired = true;
        }),
    }
}

fn rule(definition: &RuleDefinition, decoded: &DecodedEvent) -> RuleRow {
    RuleRow {
        id: decoded.id,
        organization_id: decoded.organization,
        name: definition.name.clone(),
        description: definition.description.clone(),
        entity_type: enum_text(&definition.entity_type),
        entity_id: definition.entity_id,
        type_id: definition.type_id,
        metric_key: definition.metric_key.clone(),
        condition: definition.condition.clone(),
        severity: definition.severity.to_string(),
        action: definition.action.clone(),
        is_active: definition.is_active,
        cooldown_seconds: i64::from(definition.cooldown_seconds),
        retired: false,
        created_at: decoded.recorded_at(),
        created_by: decoded.actor(),
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    }
}

fn fold_template(templates: &mut RowBatch<TemplateRow>, decoded: &DecodedEvent, event: &ActivityTemplateEvent) {
    match event {
        ActivityTemplateEvent::ActivityTemplateDefined { definition }
        | ActivityTemplateEvent::ActivityTemplateRevised { definition } => {
            let before = templates.get(decoded.id).map(|row| (row.created_at, row.created_by.clone()));
            let (created_at, created_by) = before.unwrap_or_else(|| (decoded.recorded_at(), decoded.actor()));
            templates.upsert(TemplateRow { created_at, created_by, ..template(definition, decoded) });
        }
        ActivityTemplateEvent::ActivityTemplateRetired {} => templates.update(decoded.id, |row| {
            row.is_active = false;
            row.retired = true;
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        }),
    }
}

fn template(definition: &TemplateDefinition, decoded: &DecodedEvent) -> TemplateRow {
    TemplateRow {
        id: decoded.id,
        organization_id: decoded.organization,
        name: definition.name.clone(),
        description: definition.description.clone(),
        activity_type_id: definition.activity_type_id,
        trigger_event_type: enum_text(&definition.trigger_event_type),
        default_priority: definition.default_priority.to_string(),
        default_assigned_role: definition.default_assigned_role.clone(),
        default_due_hours: definition.default_due_hours.map(i64::from),
        checklist: definition.checklist.clone(),
        is_active: definition.is_active,
        retired: false,
        created_at: decoded.recorded_at(),
        created_by: decoded.actor(),
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    }
}
