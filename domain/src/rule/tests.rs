//! Given/when/then tests of rules.

use RuleCommand as C;
use RuleEvent as E;
use uuid::Uuid;

use super::*;
use crate::alarming::{Comparison, Condition, Criterion, Operator, Schedule, Severity, Silence};
use crate::given_when_then::{given, given_no_events};
use crate::ids::ActivityTemplateId;
use crate::validation::MAX_DURATION_SECONDS;

fn above(value: f64) -> Condition {
    Condition { duration_seconds: 30, ..Condition::comparing(Operator::Above, value) }
}

fn definition() -> RuleDefinition {
    RuleDefinition {
        name: "Hot".into(),
        description: None,
        entity_type: EntityKind::Asset,
        entity_id: Some(Uuid::from_u128(1)),
        type_id: None,
        metric_key: "temperature".into(),
        condition: above(80.0),
        severity: Severity::High,
        action: RuleAction::None,
        cooldown_seconds: 600,
        is_active: true,
    }
}

fn defined() -> E {
    E::RuleDefined { definition: definition() }
}

fn define(definition: RuleDefinition) -> C {
    C::DefineRule { definition }
}

fn revise(revision: RuleRevision) -> C {
    C::ReviseRule { revision }
}

fn part() -> RuleRevision {
    RuleRevision::default()
}

#[test]
fn a_rule_is_defined_once() {
    given_no_events::<Rule>().when(define(RuleDefinition { name: " Hot ".into(), ..definition() })).then([defined()]);
    given::<Rule>([defined()]).when(define(definition())).then_refused(Error::AlreadyExists);
}

#[test]
fn a_revision_emits_events_only_for_changed_parts() {
    let webhook = || RuleAction::Webhook { url: "https://example.org/hook".into() };
    let renamed = |name: &str, description: Option<&str>| E::RuleRenamed {
        name: name.into(),
        description: description.map(str::to_owned),
    };
    let conditioned =
        |metric_key: &str, condition| E::RuleConditionChanged { metric_key: metric_key.into(), condition };
    let table = [
        (part(), vec![]),
        (RuleRevision { name: Some("Hot".into()), severity: Some(Severity::High), ..part() }, vec![]),
        (RuleRevision { name: Some("Hotter".into()), ..part() }, vec![renamed("Hotter", None)]),
        (RuleRevision { description: Some(Some("d".into())), ..part() }, vec![renamed("Hot", Some("d"))]),
        (RuleRevision { metric_key: Some("t2".into()), ..part() }, vec![conditioned("t2", above(80.0))]),
        (RuleRevision { condition: Some(above(90.0)), ..part() }, vec![conditioned("temperature", above(90.0))]),
        (
            RuleRevision { severity: Some(Severity::Low), ..part() },
            vec![E::RuleSeverityChanged { severity: Severity::Low }],
        ),
        (RuleRevision { action: Some(webhook()), ..part() }, vec![E::RuleActionChanged { action: webhook() }]),
        (RuleRevision { cooldown_seconds: Some(0), ..part() }, vec![E::RuleCooldownChanged { cooldown_seconds: 0 }]),
        (RuleRevision { is_active: Some(false), ..part() }, vec![E::RuleDeactivated {}]),
        (
            RuleRevision { name: Some("Hotter".into()), is_active: Some(false), ..part() },
            vec![renamed("Hotter", None), E::RuleDeactivated {}],
        ),
    ];
    for (revision, events) in table {
        given::<Rule>([defined()]).when(revise(revision)).then(events);
    }
}

#[test]
fn changes_are_applied_to_the_state() {
    let template = RuleAction::CreateActivity { template_id: Some(ActivityTemplateId(Uuid::from_u128(3))) };
    let past = [
        defined(),
        E::RuleRenamed { name: "Cold".into(), description: Some("d".into()) },
        E::RuleConditionChanged { metric_key: "t2".into(), condition: above(1.0) },
        E::RuleSeverityChanged { severity: Severity::Low },
        E::RuleActionChanged { action: template.clone() },
        E::RuleCooldownChanged { cooldown_seconds: 1 },
        E::RuleDeactivated {},
    ];
    let same = RuleRevision {
        name: Some("Cold".into()),
        description: Some(Some("d".into())),
        metric_key: Some("t2".into()),
        condition: Some(above(1.0)),
        severity: Some(Severity::Low),
        action: Some(template),
        cooldown_seconds: Some(1),
        is_active: Some(false),
    };
    let rule = given::<Rule>(past);
    rule.when(revise(same)).then_no_events();
    rule.when(revise(RuleRevision { is_active: Some(true), ..part() })).then([E::RuleActivated {}]);
    let without = RuleRevision { description: Some(None), ..part() };
    rule.when(revise(without)).then([E::RuleRenamed { name: "Cold".into(), description: None }]);
}

#[test]
fn commands_on_an_unknown_or_retired_rule_are_rejected() {
    given_no_events::<Rule>().when(revise(part())).then_refused(Error::NotFound);
    given_no_events::<Rule>().when(C::RetireRule {}).then_refused(Error::NotFound);
    given::<Rule>([defined()]).when(C::RetireRule {}).then([E::RuleRetired {}]);
    let retired = given::<Rule>([defined(), E::RuleRetired {}]);
    retired.when(C::RetireRule {}).then_no_events();
    retired.when(revise(part())).then_refused(Error::NotFound);
    retired.when(define(definition())).then_refused(Error::AlreadyExists);
}

fn comparing(comparison: Comparison) -> Condition {
    Condition::of(Criterion::Compare(comparison))
}

fn two(operator: Operator, value: f64, upper: Option<f64>) -> Comparison {
    Comparison { upper, ..Comparison::new(operator, value) }
}

fn all(depth: usize) -> Criterion {
    let inner = if depth == 1 { above(1.0).criterion } else { all(depth - 1) };
    Criterion::All { all: vec![inner] }
}

fn silence(no_data_seconds: u32) -> Condition {
    Condition::of(Criterion::Silence(Silence { no_data_seconds, metric_key: None }))
}

#[test]
fn an_invalid_condition_is_rejected() {
    let finite = "value must be a finite number";
    let finite_upper = "upper must be a finite number";
    let band =
        |operator, upper, dead_band| comparing(Comparison { dead_band: Some(dead_band), ..two(operator, 1.0, upper) });
    let of_metric = |metric: &str| {
        comparing(Comparison { metric_key: Some(metric.into()), ..Comparison::new(Operator::Above, 1.0) })
    };
    let many = Criterion::Any { any: vec![above(1.0).criterion; 21] };
    let parts = "all and any require at least one part";
    let table = [
        (above(f64::NAN), finite),
        (above(f64::INFINITY), finite),
        (comparing(two(Operator::Between, f64::NEG_INFINITY, Some(1.0))), finite),
        (comparing(two(Operator::Between, 1.0, Some(f64::NAN))), finite_upper),
        (comparing(two(Operator::Above, 1.0, Some(2.0))), "upper is allowed only with between and outside"),
        (comparing(two(Operator::Between, 1.0, None)), "between and outside require upper"),
        (comparing(two(Operator::Outside, 1.0, None)), "between and outside require upper"),
        (comparing(two(Operator::Outside, 1.0, Some(0.9))), "upper must not be below value"),
        (band(Operator::Above, None, -1.0), "deadBand must be a finite number, 0 or greater"),
        (band(Operator::Above, None, f64::NAN), "deadBand must be a finite number, 0 or greater"),
        (band(Operator::Equal, None, 1.0), "deadBand is not allowed with == and !="),
        (band(Operator::Outside, Some(3.0), 1.0), "deadBand must leave room between value and upper"),
        (
            Condition { duration_seconds: MAX_DURATION_SECONDS + 1, ..above(1.0) },
            "durationSeconds must be at most 2592000",
        ),
        (Condition { max_gap_seconds: Some(0), ..above(1.0) }, "maxGapSeconds must be 1 to 2592000"),
        (Condition { clear: Some(above(f64::NAN).criterion), ..above(1.0) }, finite),
        (silence(9), "noDataSeconds must be 10 to 2592000"),
        (silence(MAX_DURATION_SECONDS + 1), "noDataSeconds must be 10 to 2592000"),
        (of_metric("a b"), "metricKey must have 1 to 64 of letters, digits, '_', '-' and '.'"),
        (Condition::of(Criterion::All { all: vec![] }), parts),
        (Condition::of(Criterion::Any { any: vec![Criterion::Any { any: vec![] }] }), parts),
        (Condition::of(many), "a condition has at most 20 parts"),
        (Condition::of(all(5)), "all and any may be nested at most 4 levels deep"),
        (
            Condition { schedule: Some(Schedule { time_zone: chrono_tz::UTC, windows: vec![] }), ..above(1.0) },
            "a schedule must have 1 to 20 windows",
        ),
    ];
    for (condition, reason) in table {
        let refusal = || Error::InvalidCondition { reason };
        given_no_events::<Rule>()
            .when(define(RuleDefinition { condition: condition.clone(), ..definition() }))
            .then_refused(refusal());
        let revision = RuleRevision { condition: Some(condition), ..part() };
        given::<Rule>([defined()]).when(revise(revision)).then_refused(refusal());
    }
    for condition in [
        comparing(two(Operator::Between, 1.0, Some(1.0))),
        Condition { duration_seconds: MAX_DURATION_SECONDS, max_gap_seconds: Some(1), ..above(1.0) },
        band(Operator::Outside, Some(3.1), 1.0),
        band(Operator::Equal, None, 0.0),
        Condition::of(all(4)),
        silence(10),
    ] {
        let definition = RuleDefinition { condition, ..definition() };
        given_no_events::<Rule>().when(define(definition.clone())).then([E::RuleDefined { definition }]);
    }
}

#[test]
fn conditions_are_stored_in_the_flat_form_in_which_clients_write_them() {
    let parts = r#"{"all":[{"operator":">","value":80.0,"dead_band":2.0},{"metric_key":"flow","operator":"<","value":1.0,"per_second":true},{"any":[{"no_data_seconds":60}]}],"duration_seconds":30,"max_gap_seconds":60,"clear":{"operator":"<","value":60.0},"schedule":{"time_zone":"Europe/Berlin","windows":[{"days":["Mon"],"from":"08:00:00","until":"17:00:00"}]}}"#;
    let plain = r#"{"operator":">","value":80.0,"duration_seconds":0}"#;
    for json in [parts, plain] {
        let condition: Condition = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&condition).unwrap(), json);
    }
}

#[test]
fn an_invalid_definition_is_rejected() {
    let webhook = |url: &str| RuleDefinition { action: RuleAction::Webhook { url: url.into() }, ..definition() };
    let long = format!("https://example.org/{}", "x".repeat(2000));
    let table = [
        (RuleDefinition { name: "".into(), ..definition() }, Error::InvalidName),
        (RuleDefinition { metric_key: "a b".into(), ..definition() }, Error::InvalidMetricKey),
        (RuleDefinition { cooldown_seconds: MAX_DURATION_SECONDS + 1, ..definition() }, Error::InvalidCooldown),
        (RuleDefinition { type_id: Some(Uuid::from_u128(2)), ..definition() }, Error::EntityAndType),
        (webhook("ftp://example.org"), Error::InvalidWebhook),
        (webhook("https://"), Error::InvalidWebhook),
        (webhook("https:///path"), Error::InvalidWebhook),
        (webhook("http://a b"), Error::InvalidWebhook),
        (webhook(&long), Error::InvalidWebhook),
    ];
    for (definition, refusal) in table {
        given_no_events::<Rule>().when(define(definition)).then_refused(refusal);
    }
    for url in ["http://10.0.0.1:8080/x", "https://[::1]/", "https://example.org"] {
        let definition = webhook(url);
        given_no_events::<Rule>().when(define(definition.clone())).then([E::RuleDefined { definition }]);
    }
}
