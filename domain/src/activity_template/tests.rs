//! Given/when/then tests of activity templates.

use ActivityTemplateCommand as C;
use ActivityTemplateEvent as E;

use super::*;
use crate::alarming::Severity;
use crate::given_when_then::{given, given_no_events};

fn item(text: &str) -> ChecklistItem {
    ChecklistItem { item: text.into(), required: true }
}

fn definition(name: &str, checklist: Vec<ChecklistItem>) -> TemplateDefinition {
    TemplateDefinition {
        name: name.into(),
        description: None,
        activity_type_id: None,
        trigger_event_type: TriggerEventType::ThresholdBreach,
        default_priority: Severity::High,
        default_assigned_role: Some("technician".into()),
        default_due_hours: Some(4),
        checklist,
        is_active: true,
    }
}

fn inspect() -> TemplateDefinition {
    definition("Inspect", vec![item("look")])
}

fn defined() -> E {
    E::ActivityTemplateDefined { definition: inspect() }
}

#[test]
fn a_template_is_defined_once() {
    let spaced = definition(" Inspect ", vec![item("look")]);
    given_no_events::<ActivityTemplate>().when(C::DefineTemplate { definition: spaced }).then([defined()]);
    given::<ActivityTemplate>([defined()])
        .when(C::DefineTemplate { definition: inspect() })
        .then_refused(Error::AlreadyExists);
}

#[test]
fn a_revision_emits_an_event_only_if_the_definition_changes() {
    let other = || definition("Repair", vec![]);
    let revise = |definition| C::ReviseTemplate { definition };
    let revised = || E::ActivityTemplateRevised { definition: other() };
    given::<ActivityTemplate>([defined()]).when(revise(other())).then([revised()]);
    given::<ActivityTemplate>([defined()]).when(revise(inspect())).then_no_events();
    given::<ActivityTemplate>([defined(), revised()]).when(revise(other())).then_no_events();
    given_no_events::<ActivityTemplate>().when(revise(other())).then_refused(Error::NotFound);
}

#[test]
fn a_retired_template_cannot_be_revised() {
    given::<ActivityTemplate>([defined()]).when(C::RetireTemplate {}).then([E::ActivityTemplateRetired {}]);
    let retired = given::<ActivityTemplate>([defined(), E::ActivityTemplateRetired {}]);
    retired.when(C::RetireTemplate {}).then_no_events();
    retired.when(C::ReviseTemplate { definition: inspect() }).then_refused(Error::Retired);
    given_no_events::<ActivityTemplate>().when(C::RetireTemplate {}).then_refused(Error::NotFound);
}

#[test]
fn an_invalid_definition_is_rejected() {
    let long = "x".repeat(501);
    let table = [
        (definition("", vec![]), Error::InvalidName),
        (definition("T", vec![item("look"), item(" ")]), Error::InvalidChecklistItem { index: 1 }),
        (definition("T", vec![item(&long)]), Error::InvalidChecklistItem { index: 0 }),
    ];
    for (definition, refusal) in table {
        let define = C::DefineTemplate { definition: definition.clone() };
        given_no_events::<ActivityTemplate>().when(define).then_refused(refusal.clone());
        given::<ActivityTemplate>([defined()]).when(C::ReviseTemplate { definition }).then_refused(refusal);
    }
}

#[test]
fn an_activity_cannot_be_due_after_more_than_ten_years() {
    let due = |hours| TemplateDefinition { default_due_hours: Some(hours), ..inspect() };
    let define = |hours| C::DefineTemplate { definition: due(hours) };
    given_no_events::<ActivityTemplate>().when(define(MAX_DUE_HOURS + 1)).then_refused(Error::InvalidDueHours);
    let longest = E::ActivityTemplateDefined { definition: due(MAX_DUE_HOURS) };
    given_no_events::<ActivityTemplate>().when(define(MAX_DUE_HOURS)).then([longest]);
    let now = chrono::DateTime::UNIX_EPOCH;
    assert_eq!(due(u32::MAX).due_at(now), due(MAX_DUE_HOURS).due_at(now), "older logs have such templates");
    assert_eq!(due(u32::MAX).due_at(chrono::DateTime::<chrono::Utc>::MAX_UTC), None);
}
