//! The rules of the house, as a test. What does not live here: what the compiler, clippy and cargo-deny see already.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which of our crates each crate may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("api", &["commands", "domain", "eventlog", "projections", "replay", "serving"]),
    ("certs", &[]),
    ("commands", &["certs", "domain", "eventlog", "pgstore"]),
    ("domain", &[]),
    ("eventlog", &[]),
    ("ingest", &["certs", "domain", "eventlog", "serving"]),
    ("pgstore", &["eventlog"]),
    ("processing", &["commands", "domain", "eventlog"]),
    ("projections", &["domain", "eventlog"]),
    ("replay", &["eventlog", "projections"]),
    ("seal", &["certs", "eventlog"]),
    ("serving", &["eventlog"]),
    ("simulator", &["domain", "stack"]),
    ("stack", &[]),
];

/// Who alone may depend on a crate of others.
const FENCES: &[(&str, &[&str])] = &[
    ("async-nats", &["eventlog"]),
    ("redis", &["projections"]),
    ("rumqttc", &["ingest"]),
    ("sqlx", &["pgstore", "projections", "replay"]),
];

/// Longest source file, in lines.
const LONGEST_FILE: usize = 400;

/// Highest median length of a source file, in lines.
const HIGHEST_MEDIAN: usize = 130;

#[test]
fn every_source_file_says_what_lives_in_it() {
    let silent: Vec<_> = sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).collect();
    assert!(silent.is_empty(), "no opening `//!` sentence: {:?}", names(&silent));
}

#[test]
fn no_source_file_is_long() {
    let long: Vec<_> = sources().into_iter().filter(|(_, text)| text.lines().count() > LONGEST_FILE).collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines: {:?}", names(&long));
}

#[test]
fn the_median_source_file_is_short() {
    let mut lengths: Vec<_> = sources().iter().map(|(_, text)| text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= HIGHEST_MEDIAN, "the median file has {median} lines");
}

#[test]
fn nothing_is_unfinished_skipped_or_slept_through() {
    let banned = [
        concat!("#[", "ignore"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("thread::", "sleep("),
    ];
    let found: Vec<_> = sources()
        .iter()
        .flat_map(|(path, text)| {
            banned.iter().filter(|word| text.contains(**word)).map(move |word| format!("{}: {word}", path.display()))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let ours: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ARROWS {
        let used: BTreeSet<_> = dependencies(name).into_iter().filter(|used| ours.contains(used.as_str())).collect();
        let wrong: Vec<_> = used.iter().filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{name} must not depend on {wrong:?}");
    }
}

#[test]
fn fenced_crates_are_named_by_their_keepers_alone() {
    for (fenced, keepers) in FENCES {
        let users: Vec<_> =
            ARROWS.iter().map(|(name, _)| *name).filter(|name| dependencies(name).contains(*fenced)).collect();
        let wrong: Vec<_> = users.iter().filter(|user| !keepers.contains(user)).collect();
        assert!(wrong.is_empty(), "{fenced} is used by {wrong:?}, only {keepers:?} may");
    }
}

#[test]
fn every_crate_is_in_the_map() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let missing: Vec<_> = ARROWS.iter().filter(|(name, _)| !map.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {missing:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let broken: Vec<_> = files("md").iter().flat_map(|path| broken_links(path)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn names_of_tests_are_sentences() {
    let named: Vec<_> = sources()
        .iter()
        .flat_map(|(path, text)| {
            text.lines()
                .filter(|line| line.trim_start().starts_with(concat!("fn ", "test_")))
                .map(|line| format!("{}: {}", path.display(), line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(named.is_empty(), "{named:#?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_path_buf(), text)
    };
    files("rs").into_iter().map(read).collect()
}

fn names(files: &[(PathBuf, String)]) -> Vec<String> {
    files.iter().map(|(path, text)| format!("{} ({} lines)", path.display(), text.lines().count())).collect()
}

fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root(), extension, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
                collect(&path, extension, found);
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in manifest.lines() {
        if let Some(title) = line.strip_prefix('[') {
            section = title.trim_end_matches(']').to_owned();
        } else if let Some((key, _)) = line.split_once('=') {
            let dependency = key.trim().trim_end_matches(".workspace").to_owned();
            sections.entry(section.clone()).or_default().insert(dependency);
        }
    }
    sections.remove("dependencies").unwrap_or_default()
}

fn broken_links(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next().map(str::to_owned));
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#') && !target.is_empty())
        .filter(|target| !path.parent().unwrap().join(target.split('#').next().unwrap()).exists())
        .map(|target| format!("{}: {target}", path.display()))
        .collect()
}
