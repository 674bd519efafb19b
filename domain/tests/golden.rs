//! Golden files: one JSON example per stored event version. They are append-only, because events already in a log must
//! stay readable forever; a new event or version adds a file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::AnyEvent;
use serde_json::Value;

/// Versions that may still be stored but are no longer written: aggregate, event type, version. They are read through
/// upcasters. There are none yet.
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
fn every_event_version_round_trips_to_its_golden() {
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
fn unknown_or_malformed_events_are_rejected() {
    let empty = || Value::Object(serde_json::Map::new());
    for (aggregate, event_type) in
        [("device", "RuleRetired"), ("nonsense", "DeviceRenamed"), ("device", "DeviceRenamed")]
    {
        assert!(AnyEvent::decode(aggregate, event_type, empty()).is_err(), "{aggregate} {event_type}");
    }
}
