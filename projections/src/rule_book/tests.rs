//! Unit tests of the fold and of its rows.

use domain::activity_template::{ActivityTemplateEvent, TemplateDefinition, TriggerEventType};
use domain::alarming::{Condition, Operator, Severity};
use domain::rule::{EntityKind, RuleAction, RuleDefinition, RuleEvent};

use super::{RuleRow, Rules};
use crate::test_events::{ID, at, rows_after};

fn condition(value: f64) -> Condition {
    Condition { duration_seconds: 5, ..Condition::comparing(Operator::Above, value) }
}

fn defined() -> RuleEvent {
    let definition = RuleDefinition {
        name: "Hot".into(),
        description: None,
        entity_type: EntityKind::Device,
        entity_id: None,
        type_id: None,
        metric_key: "temp".into(),
        condition: condition(80.0),
        severity: Severity::Low,
        action: RuleAction::None,
        cooldown_seconds: 300,
        is_active: true,
    };
    RuleEvent::RuleDefined { definition }
}

#[test]
fn each_event_of_a_rule_changes_its_own_columns() {
    let first = rows_after::<Rules, _>("rule", &[defined()]).rules.get(ID).cloned().unwrap();
    assert_eq!((first.entity_type.as_str(), first.severity.as_str(), first.is_active), ("device", "low", true));
    let two = RuleRow { updated_at: at(2), version: 2, position: 2, ..first };
    let url = RuleAction::Webhook { url: "https://example.org".into() };
    for (event, expected) in [
        (
            RuleEvent::RuleRenamed { name: "Warm".into(), description: Some("Why".into()) },
            RuleRow { name: "Warm".into(), description: Some("Why".into()), ..two.clone() },
        ),
        (
            RuleEvent::RuleConditionChanged { metric_key: "flow".into(), condition: condition(1.0) },
            RuleRow { metric_key: "flow".into(), condition: condition(1.0), ..two.clone() },
        ),
        (
            RuleEvent::RuleSeverityChanged { severity: Severity::Critical },
            RuleRow { severity: "critical".into(), ..two.clone() },
        ),
        (RuleEvent::RuleActionChanged { action: url.clone() }, RuleRow { action: url, ..two.clone() }),
        (RuleEvent::RuleCooldownChanged { cooldown_seconds: 9 }, RuleRow { cooldown_seconds: 9, ..two.clone() }),
        (RuleEvent::RuleActivated {}, two.clone()),
        (RuleEvent::RuleDeactivated {}, RuleRow { is_active: false, ..two.clone() }),
        (RuleEvent::RuleRetired {}, RuleRow { is_active: false, retired: true, ..two.clone() }),
    ] {
        assert_eq!(rows_after::<Rules, _>("rule", &[defined(), event]).rules.get(ID), Some(&expected));
    }
}

#[test]
fn a_template_is_replaced_by_its_revision_and_keeps_its_creation_time() {
    let definition = |name: &str| TemplateDefinition {
        name: name.into(),
        description: None,
        activity_type_id: None,
        trigger_event_type: TriggerEventType::DeviceOffline,
        default_priority: Severity::High,
        default_assigned_role: Some("technician".into()),
        default_due_hours: Some(4),
        checklist: vec![],
        is_active: true,
    };
    let defined = ActivityTemplateEvent::ActivityTemplateDefined { definition: definition("Visit") };
    let revised = ActivityTemplateEvent::ActivityTemplateRevised { definition: definition("Call") };
    let rows = rows_after::<Rules, _>("activity_template", &[defined.clone(), revised]);
    let row = rows.templates.get(ID).unwrap();
    assert_eq!((row.name.as_str(), row.trigger_event_type.as_str(), row.created_at), ("Call", "DEVICE_OFFLINE", at(1)));
    assert_eq!((row.version, row.default_due_hours), (2, Some(4)));
    let retired =
        rows_after::<Rules, _>("activity_template", &[defined, ActivityTemplateEvent::ActivityTemplateRetired {}]);
    let row = retired.templates.get(ID).unwrap();
    assert!(row.retired && !row.is_active);
}
