//! Given/when/then tests of device types.

use DeviceTypeCommand as C;
use DeviceTypeEvent as E;

use super::*;
use crate::given_when_then::{given, given_no_events};

fn metric(key: &str) -> MetricDefinition {
    MetricDefinition {
        key: key.into(),
        kind: ValueKind::Number,
        unit: None,
        minimum: None,
        maximum: None,
        required: false,
    }
}

fn ranged(minimum: Option<f64>, maximum: Option<f64>) -> MetricDefinition {
    MetricDefinition { minimum, maximum, ..metric("t") }
}

fn define(name: &str, metrics: Vec<MetricDefinition>) -> C {
    C::DefineDeviceType { name: name.into(), description: None, metrics, unknown_metrics: UnknownMetrics::Keep }
}

fn revise(name: &str, metrics: Vec<MetricDefinition>) -> C {
    C::ReviseDeviceType { name: name.into(), description: None, metrics, unknown_metrics: UnknownMetrics::Keep }
}

fn defined() -> E {
    E::DeviceTypeDefined {
        name: "Probe".into(),
        description: None,
        metrics: vec![metric("t")],
        unknown_metrics: UnknownMetrics::Keep,
    }
}

fn revised(metrics: Vec<MetricDefinition>) -> E {
    E::DeviceTypeRevised { name: "Probe".into(), description: None, metrics, unknown_metrics: UnknownMetrics::Keep }
}

#[test]
fn a_type_is_defined_once() {
    given_no_events::<DeviceType>().when(define(" Probe", vec![metric("t")])).then([defined()]);
    given::<DeviceType>([defined()]).when(define("Probe", vec![])).then_refused(Error::AlreadyExists);
}

#[test]
fn a_revision_emits_an_event_only_if_the_definition_changes() {
    let probe = given::<DeviceType>([defined()]);
    probe.when(revise("Probe", vec![metric("t"), metric("h")])).then([revised(vec![metric("t"), metric("h")])]);
    probe.when(revise("Probe ", vec![metric("t")])).then_no_events();
    given::<DeviceType>([defined(), revised(vec![])]).when(revise("Probe", vec![])).then_no_events();
    given_no_events::<DeviceType>().when(revise("Probe", vec![])).then_refused(Error::NotFound);
}

#[test]
fn a_retired_type_cannot_be_revised() {
    given::<DeviceType>([defined()]).when(C::RetireDeviceType {}).then([E::DeviceTypeRetired {}]);
    let retired = given::<DeviceType>([defined(), E::DeviceTypeRetired {}]);
    retired.when(C::RetireDeviceType {}).then_no_events();
    retired.when(revise("Other", vec![])).then_refused(Error::Retired);
    given_no_events::<DeviceType>().when(C::RetireDeviceType {}).then_refused(Error::NotFound);
}

#[test]
fn an_invalid_definition_is_rejected() {
    let key = || "t".to_owned();
    let table = [
        (define("", vec![]), Error::InvalidName),
        (define(&"x".repeat(201), vec![]), Error::InvalidName),
        (define("P", vec![metric("a b")]), Error::InvalidMetricKey { key: "a b".into() }),
        (define("P", vec![metric("t"), metric("h"), metric("t")]), Error::DuplicateMetric { key: key() }),
        (define("P", vec![ranged(Some(2.0), Some(1.0))]), Error::InvalidRange { key: key() }),
        (define("P", vec![ranged(Some(f64::NAN), None)]), Error::InvalidRange { key: key() }),
        (define("P", vec![ranged(None, Some(f64::INFINITY))]), Error::InvalidRange { key: key() }),
    ];
    for (command, refusal) in table {
        given_no_events::<DeviceType>().when(command.clone()).then_refused(refusal.clone());
        let C::DefineDeviceType { name, metrics, .. } = command else { unreachable!() };
        given::<DeviceType>([defined()]).when(revise(&name, metrics)).then_refused(refusal);
    }
}

#[test]
fn open_and_single_point_ranges_are_accepted() {
    for range in [(None, None), (Some(1.0), None), (None, Some(1.0)), (Some(1.0), Some(1.0))] {
        let metrics = vec![ranged(range.0, range.1)];
        given::<DeviceType>([defined()])
            .when(revise("Probe", metrics.clone()))
            .then((range != (None, None)).then(|| revised(metrics)));
    }
}
