//! Domain events into rows of rules and templates. Pure.

use domain::AnyEvent;
use domain::activity_template::{ActivityTemplateEvent, TemplateDefinition};
use domain::rule::{RuleDefinition, RuleEvent};
use eventlog::Stream;

use super::{RuleRow, TemplateRow};
use crate::fact::{Fact, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of rules and templates.
pub struct Rules;

/// The rows in hand.
#[derive(Default)]
pub struct Sheets {
    pub(crate) rules: Sheet<RuleRow>,
    pub(crate) templates: Sheet<TemplateRow>,
}

impl Fold for Rules {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["threshold_rules", "activity_templates"];
    type Sheets = Sheets;

    fn sheets(sheets: &mut Sheets) -> Vec<&mut dyn AnySheet> {
        vec![&mut sheets.rules, &mut sheets.templates]
    }

    fn touch(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::Rule(_) => sheets.rules.want(fact.id),
            AnyEvent::ActivityTemplate(_) => sheets.templates.want(fact.id),
            _ => {}
        }
    }

    fn fold(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::Rule(event) => fold_rule(&mut sheets.rules, fact, event),
            AnyEvent::ActivityTemplate(event) => fold_template(&mut sheets.templates, fact, event),
            _ => {}
        }
    }
}

fn fold_rule(rules: &mut Sheet<RuleRow>, fact: &Fact, event: &RuleEvent) {
    let mut change = |change: &dyn Fn(&mut RuleRow)| {
        rules.change(fact.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    };
    match event {
        RuleEvent::RuleDefined { definition } => rules.put(rule(definition, fact)),
        RuleEvent::RuleRenamed { name, description } => change(&|row| {
            row.name.clone_from(name);
            row.description.clone_from(description);
        }),
        RuleEvent::RuleConditionChanged { metric_key, condition } => change(&|row| {
            row.metric_key.clone_from(metric_key);
            row.condition.clone_from(condition);
        }),
        RuleEvent::RuleSeverityChanged { severity } => change(&|row| row.severity = severity.to_string()),
        RuleEvent::RuleActionChanged { action } => change(&|row| row.action.clone_from(action)),
        RuleEvent::RuleCooldownChanged { cooldown_seconds } => {
            change(&|row| row.cooldown_seconds = i64::from(*cooldown_seconds));
        }
        RuleEvent::RuleActivated {} => change(&|row| row.is_active = true),
        RuleEvent::RuleDeactivated {} => change(&|row| row.is_active = false),
        RuleEvent::RuleRetired {} => change(&|row| {
            row.is_active = false;
            row.retired = true;
        }),
    }
}

fn rule(definition: &RuleDefinition, fact: &Fact) -> RuleRow {
    RuleRow {
        id: fact.id,
        organization_id: fact.organization,
        name: definition.name.clone(),
        description: definition.description.clone(),
        entity_type: text_of(&definition.entity_type),
        entity_id: definition.entity_id,
        type_id: definition.type_id,
        metric_key: definition.metric_key.clone(),
        condition: definition.condition.clone(),
        severity: definition.severity.to_string(),
        action: definition.action.clone(),
        is_active: definition.is_active,
        cooldown_seconds: i64::from(definition.cooldown_seconds),
        retired: false,
        created_at: fact.at(),
        created_by: fact.actor(),
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    }
}

fn fold_template(templates: &mut Sheet<TemplateRow>, fact: &Fact, event: &ActivityTemplateEvent) {
    match event {
        ActivityTemplateEvent::ActivityTemplateDefined { definition }
        | ActivityTemplateEvent::ActivityTemplateRevised { definition } => {
            let before = templates.get(fact.id).map(|row| (row.created_at, row.created_by.clone()));
            let (created_at, created_by) = before.unwrap_or_else(|| (fact.at(), fact.actor()));
            templates.put(TemplateRow { created_at, created_by, ..template(definition, fact) });
        }
        ActivityTemplateEvent::ActivityTemplateRetired {} => templates.change(fact.id, |row| {
            row.is_active = false;
            row.retired = true;
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        }),
    }
}

fn template(definition: &TemplateDefinition, fact: &Fact) -> TemplateRow {
    TemplateRow {
        id: fact.id,
        organization_id: fact.organization,
        name: definition.name.clone(),
        description: definition.description.clone(),
        activity_type_id: definition.activity_type_id,
        trigger_event_type: text_of(&definition.trigger_event_type),
        default_priority: definition.default_priority.to_string(),
        default_assigned_role: definition.default_assigned_role.clone(),
        default_due_hours: definition.default_due_hours.map(i64::from),
        checklist: definition.checklist.clone(),
        is_active: definition.is_active,
        retired: false,
        created_at: fact.at(),
        created_by: fact.actor(),
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    }
}
