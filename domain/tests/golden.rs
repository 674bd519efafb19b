//! Every stored event version as JSON. A golden is written once and never changed: what is stored in some log must be
//! readable for ever. A new event or version adds a file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::AnyEvent;
use serde_json::Value;

/// Versions that are stored somewhere but written no more: aggregate, event type, version. They stay readable through
/// upcasters; none is that old yet.
const FORMER: &[(&str, &str, &str)] = &[];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn file(aggregate: &str, event_type: &str, version: &str) -> String {
    format!("{aggregate}/{event_type}@{version}.json")
}

fn current() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    AnyEvent::CATALOGUE
        .iter()
        .flat_map(|(aggregate, events)| events.iter().map(|(event_type, version)| (*aggregate, *event_type, *version)))
}

fn golden(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("golden {name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("golden {name}: {error}"))
}

#[test]
fn every_event_version_reads_and_writes_as_it_was_first_stored() {
    for (aggregate, event_type, version) in current() {
        let name = file(aggregate, event_type, version);
        let stored = golden(&name);
        let event = AnyEvent::decode(aggregate, event_type, stored.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let again = event.stored().unwrap();
        assert_eq!(again, (aggregate, event_type.to_owned(), stored), "{name}");
    }
}

#[test]
fn no_golden_is_unreferenced() {
    let expected: BTreeSet<String> =
        current().chain(FORMER.iter().copied()).map(|(a, event_type, version)| file(a, event_type, version)).collect();
    let mut found = BTreeSet::new();
    for aggregate in fs::read_dir(folder()).unwrap() {
        let aggregate = aggregate.unwrap();
        for golden in fs::read_dir(aggregate.path()).unwrap() {
            let names = [aggregate.file_name(), golden.unwrap().file_name()].map(|name| name.into_string().unwrap());
            found.insert(names.join("/"));
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_event_is_refused() {
    let empty = || Value::Object(serde_json::Map::new());
    for (aggregate, event_type) in
        [("device", "RuleRetired"), ("nonsense", "DeviceRenamed"), ("device", "DeviceRenamed")]
    {
        assert!(AnyEvent::decode(aggregate, event_type, empty()).is_err(), "{aggregate} {event_type}");
    }
}
