//! Given/when/then tests of asset types.

use AssetTypeCommand as C;
use AssetTypeEvent as E;

use super::*;
use crate::aggregate::Decide;
use crate::given_when_then::{given, given_no_events};

fn derived(key: &str, formula: &str) -> DerivedMetric {
    DerivedMetric { key: key.into(), formula: formula.into(), unit: None }
}

fn band(limit_low: f64, good_low: f64, good_high: f64, limit_high: f64, weight: f64) -> MetricBand {
    MetricBand { metric_key: "t".into(), good_low, good_high, limit_low, limit_high, weight }
}

fn model(bands: Vec<MetricBand>) -> Option<HealthModel> {
    Some(HealthModel { bands, stale_after_seconds: Some(60), children: None })
}

fn good_model() -> Option<HealthModel> {
    model(vec![band(0.0, 10.0, 20.0, 30.0, 1.0)])
}

fn define(name: &str, derived_metrics: Vec<DerivedMetric>, health_model: Option<HealthModel>) -> C {
    C::DefineAssetType {
        name: name.into(),
        description: None,
        icon: None,
        derived_metrics,
        health_model,
        combination: Combination::default(),
    }
}

fn revise(name: &str, derived_metrics: Vec<DerivedMetric>, health_model: Option<HealthModel>) -> C {
    C::ReviseAssetType {
        name: name.into(),
        description: None,
        icon: None,
        derived_metrics,
        health_model,
        combination: Combination::default(),
    }
}

fn defined() -> E {
    E::AssetTypeDefined {
        name: "Pump".into(),
        description: None,
        icon: None,
        derived_metrics: vec![derived("power", "voltage * current")],
        health_model: good_model(),
        combination: Combination::default(),
    }
}

fn revised() -> E {
    E::AssetTypeRevised {
        name: "Pump".into(),
        description: None,
        icon: None,
        derived_metrics: vec![],
        health_model: None,
        combination: Combination::default(),
    }
}

#[test]
fn a_type_is_defined_once() {
    let metrics = || vec![derived("power", "voltage * current")];
    given_no_events::<AssetType>().when(define(" Pump", metrics(), good_model())).then([defined()]);
    given::<AssetType>([defined()]).when(define("Pump", vec![], None)).then_refused(Error::AlreadyExists);
}

#[test]
fn a_revision_emits_an_event_only_if_the_definition_changes() {
    given::<AssetType>([defined()]).when(revise("Pump", vec![], None)).then([revised()]);
    given::<AssetType>([defined(), revised()]).when(revise("Pump", vec![], None)).then_no_events();
    given_no_events::<AssetType>().when(revise("Pump", vec![], None)).then_refused(Error::NotFound);
}

#[test]
fn a_retired_type_cannot_be_revised() {
    given::<AssetType>([defined()]).when(C::RetireAssetType {}).then([E::AssetTypeRetired {}]);
    let retired = given::<AssetType>([defined(), E::AssetTypeRetired {}]);
    retired.when(C::RetireAssetType {}).then_no_events();
    retired.when(revise("Pump", vec![], None)).then_refused(Error::Retired);
    given_no_events::<AssetType>().when(C::RetireAssetType {}).then_refused(Error::NotFound);
}

#[test]
fn an_invalid_definition_is_rejected() {
    let key = |key: &str| key.to_owned();
    let long = "1".repeat(1001);
    let formula = |reason: &str| Error::InvalidFormula { key: key("p"), reason: reason.into() };
    let length = || formula("a formula must have 1 to 1000 characters");
    let two = || band(0.0, 1.0, 2.0, 3.0, 1.0);
    let table = [
        ("", vec![], None, Error::InvalidName),
        ("P", vec![derived("a b", "1")], None, Error::InvalidMetricKey { key: key("a b") }),
        ("P", vec![derived("p", " ")], None, length()),
        ("P", vec![derived("p", &long)], None, length()),
        ("P", vec![derived("p", "p + 1")], None, formula("p must be defined before it is used")),
        ("P", vec![derived("p", "q"), derived("q", "1")], None, formula("q must be defined before it is used")),
        ("P", (0..51).map(|n| derived(&format!("p{n}"), "1")).collect(), None, Error::TooManyComputed),
        ("P", vec![derived("p", "1"), derived("p", "2")], None, Error::DuplicateMetric { key: key("p") }),
        ("P", vec![], model(vec![two(), two()]), Error::DuplicateMetric { key: key("t") }),
        (
            "P",
            vec![],
            model(vec![MetricBand { metric_key: "".into(), ..two() }]),
            Error::InvalidMetricKey { key: key("") },
        ),
    ];
    for (name, metrics, health, refusal) in table {
        let refused = define(name, metrics.clone(), health.clone());
        given_no_events::<AssetType>().when(refused).then_refused(refusal.clone());
        given::<AssetType>([defined()]).when(revise(name, metrics, health)).then_refused(refusal);
    }
}

#[test]
fn an_invalid_band_is_rejected() {
    let table = [
        band(5.0, 4.0, 6.0, 7.0, 1.0),
        band(0.0, 6.0, 4.0, 7.0, 1.0),
        band(0.0, 4.0, 6.0, 5.0, 1.0),
        band(f64::NAN, 4.0, 6.0, 7.0, 1.0),
        band(0.0, 4.0, 6.0, f64::INFINITY, 1.0),
        band(0.0, 4.0, 6.0, 7.0, 0.0),
        band(0.0, 4.0, 6.0, 7.0, -1.0),
        band(0.0, 4.0, 6.0, 7.0, f64::NAN),
    ];
    for band in table {
        given_no_events::<AssetType>()
            .when(define("P", vec![], model(vec![band])))
            .then_refused(Error::InvalidBand { key: "t".into() });
    }
}

#[test]
fn an_invalid_combination_is_rejected() {
    let composite = |key: &str, of: &str| CompositeMetric {
        key: key.into(),
        of: of.into(),
        aggregation: Aggregation::Sum,
        unit: None,
    };
    let with = |combination, derived_metrics| C::DefineAssetType {
        name: "P".into(),
        description: None,
        icon: None,
        derived_metrics,
        health_model: None,
        combination,
    };
    let composites = |composites| Combination { composites, ..Combination::default() };
    let bounds = |stale, takeover| Combination {
        stale_after_seconds: Some(stale),
        takeover_after_seconds: Some(takeover),
        ..Combination::default()
    };
    let key = |key: &str| key.to_owned();
    let table = [
        (composites(vec![composite("a b", "t")]), vec![], Error::InvalidMetricKey { key: key("a b") }),
        (composites(vec![composite("t", "")]), vec![], Error::InvalidMetricKey { key: key("") }),
        (composites(vec![composite("t", "t"); 51]), vec![], Error::TooManyComputed),
        (composites(vec![composite("t", "a"), composite("t", "b")]), vec![], Error::DuplicateMetric { key: key("t") }),
        (composites(vec![composite("t", "a")]), vec![derived("t", "1")], Error::DuplicateMetric { key: key("t") }),
        (bounds(0, 1), vec![], Error::InvalidBound),
        (bounds(1, 2_592_001), vec![], Error::InvalidBound),
    ];
    for (combination, derived, refusal) in table {
        given_no_events::<AssetType>().when(with(combination, derived)).then_refused(refusal);
    }
    let children = Some(ChildrenHealth { fold: ChildrenFold::Mean, weight: 0.0 });
    let health = Some(HealthModel { bands: vec![], stale_after_seconds: None, children });
    given_no_events::<AssetType>().when(define("P", vec![], health)).then_refused(Error::InvalidWeight);
    let good = with(composites(vec![composite("total", "power")]), vec![derived("mean", "total / 2")]);
    assert_eq!(given_no_events::<AssetType>().state().decide(good).unwrap().len(), 1);
}
