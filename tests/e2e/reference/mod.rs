//! The platform and a reference platform are told the same random histories and asked the same questions: latest values,
//! history, aggregates, alarms and activities, over HTTP. The reference (`model.rs`, `alarms.rs`) says what is right.
//!
//! Without settings, a few histories are played, always the same ones. `ARGUSIQ_REFERENCE_CASES` plays this many new
//! ones. `ARGUSIQ_REFERENCE_SEED` is the seed of the first; with one case, it plays a failed history again.

mod alarms;
mod driver;
mod history;
mod model;
mod questions;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::thread;

use crate::fixtures::now_millis;
use crate::platform::Platform;
use driver::{Case, World};
use history::{History, RULES};
use model::{End, Reference};

/// Seeds whose histories once showed a difference.
const REGRESSIONS: [u64; 0] = [];
/// Random histories, unless the environment says otherwise.
const USUAL_CASES: u64 = 8;
/// Histories that are played at the same time.
const AT_ONCE: usize = 8;

#[test]
fn people_get_the_answers_of_the_reference_platform() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let (cases, seed) = (number("ARGUSIQ_REFERENCE_CASES"), number("ARGUSIQ_REFERENCE_SEED"));
    // The usual histories are always the same ones, so that `make test` never fails by chance.
    let first = seed.unwrap_or_else(|| if cases.is_some() { now_millis() as u64 } else { 1 });
    let random = first..first + cases.unwrap_or(USUAL_CASES);
    let regressions = REGRESSIONS.into_iter().filter(|_| seed.is_none());
    let platform = Platform::up();
    let world = World::new(&platform);
    let seeds = Mutex::new(regressions.chain(random).collect::<VecDeque<_>>());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().unwrap().pop_front() else { return };
                    failures.lock().unwrap().extend(failure(&world, seed));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} histories differ:\n{}", failures.len(), failures.join("\n"));
}

/// Plays the history of a seed; returns where the platform differs from the reference, if it does.
fn failure(world: &World, seed: u64) -> Option<String> {
    let history = History::of(seed);
    // Captured unless the test fails: a panic then shows which histories were being played.
    println!("playing seed {seed}");
    let differences = Case::new(world).and_then(|mut case| {
        case.play(&history)?;
        Ok(questions::ask(&case))
    });
    let differences = differences.unwrap_or_else(|error| vec![error]);
    println!("played seed {seed}: {} differences", differences.len());
    (!differences.is_empty()).then(|| {
        let again = format!("ARGUSIQ_REFERENCE_SEED={seed} ARGUSIQ_REFERENCE_CASES=1 plays it again");
        format!("{history}{}\n{again}\n", differences.join("\n"))
    })
}

#[test]
fn the_usual_histories_have_what_the_conventions_are_about() {
    let mut seen = BTreeSet::new();
    for seed in 1..=USUAL_CASES {
        let mut reference = Reference::default();
        for step in History::of(seed).steps.iter() {
            if reference.awaits(step) {
                reference.take(step, 0, 1_000_000_000..);
            }
        }
        for alarm in (0..RULES.len()).flat_map(|rule| reference.alarms(rule)) {
            let facts = [
                ("ended by a value", matches!(alarm.end, Some(End::Value(..)))),
                ("ended by an edit", alarm.end == Some(End::Edit)),
                ("still active", alarm.end.is_none()),
                ("acknowledged", alarm.acknowledged),
                ("repeated", alarm.repeats > 0),
                ("dismissed", alarm.closed == Some("dismissed")),
                ("opened again", alarm.dismissed && alarm.closed.is_none()),
                ("superseded", alarm.closed == Some("superseded")),
                ("begun late", alarm.starts.len() > 1),
            ];
            seen.extend(facts.into_iter().filter_map(|(name, is_so)| is_so.then_some(name)));
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
}
