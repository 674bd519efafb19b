//! The rules of the repository as tests: what the compiler, clippy and cargo-deny do not check.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dead_letter_reasons;
mod module_circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace crates that each crate may depend on.
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

/// Third-party crates that only these crates may depend on.
const FENCES: &[(&str, &[&str])] = &[
    ("async-nats", &["eventlog"]),
    ("redis", &["projections"]),
    ("rumqttc", &["ingest"]),
    ("sqlx", &["pgstore", "projections"]),
];

/// Maximum length of a source file, in lines.
const LONGEST_FILE: usize = 400;

/// Maximum median length of a source file, in lines.
const HIGHEST_MEDIAN: usize = 130;

/// Maximum number of files that import each other in a circle.
const LARGEST_CIRCLE: usize = 5;

/// Maximum length of a line of Markdown outside tables and code blocks, in characters.
const LONGEST_MARKDOWN_LINE: usize = 120;

#[test]
fn every_source_file_begins_with_a_description() {
    let undocumented: Vec<_> = sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).collect();
    assert!(undocumented.is_empty(), "no opening `//!` sentence: {:?}", names(&undocumented));
}

#[test]
fn no_source_file_is_too_long() {
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
fn no_code_is_unfinished_and_no_test_is_ignored_or_sleeps() {
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
fn crates_depend_only_on_the_crates_listed() {
    let ours: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ARROWS {
        let used: BTreeSet<_> = dependencies(name).into_iter().filter(|used| ours.contains(used.as_str())).collect();
        let wrong: Vec<_> = used.iter().filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{name} must not depend on {wrong:?}");
    }
}

#[test]
fn restricted_third_party_crates_are_used_only_where_listed() {
    for (fenced, keepers) in FENCES {
        let users: Vec<_> =
            ARROWS.iter().map(|(name, _)| *name).filter(|name| dependencies(name).contains(*fenced)).collect();
        let wrong: Vec<_> = users.iter().filter(|user| !keepers.contains(user)).collect();
        assert!(wrong.is_empty(), "{fenced} is used by {wrong:?}, only {keepers:?} may");
    }
}

#[test]
fn architecture_md_describes_every_crate() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let missing: Vec<_> = ARROWS.iter().filter(|(name, _)| !map.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {missing:?}");
}

#[test]
fn relative_links_in_documents_resolve() {
    let broken: Vec<_> = files("md").iter().flat_map(|path| broken_links(path)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_circle_of_imports_is_larger_than_the_limit() {
    let crates = ARROWS.iter().map(|(name, _)| root().join(name).join("src")).chain([root().join("src")]);
    let large: Vec<_> = crates
        .flat_map(|src| module_circles::circles(&src).into_iter().map(move |circle| (src.clone(), circle)))
        .filter(|(_, circle)| circle.len() > LARGEST_CIRCLE)
        .map(|(src, circle)| format!("{}: {circle:?}", src.strip_prefix(root()).unwrap().display()))
        .collect();
    assert!(large.is_empty(), "more than {LARGEST_CIRCLE} files import each other in a circle: {large:#?}");
}

#[test]
fn lines_of_markdown_are_short() {
    let long: Vec<_> = files("md").iter().flat_map(|path| long_lines(path)).collect();
    assert!(long.is_empty(), "over {LONGEST_MARKDOWN_LINE} characters: {long:#?}");
}

#[test]
fn the_licence_is_present_and_the_one_that_cargo_names() {
    let licence = fs::read_to_string(root().join("LICENSE")).unwrap();
    assert!(licence.contains("Apache License") && licence.contains("Version 2.0, January 2004"));
    assert!(fs::read_to_string(root().join("Cargo.toml")).unwrap().contains("license = \"Apache-2.0\""));
}

#[test]
fn toolchain_file_cargo_and_dockerfile_name_the_same_rust_version() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain.split_once("channel = \"").and_then(|(_, rest)| rest.split('"').next()).unwrap();
    let minor = version.rsplit_once('.').unwrap().0;
    assert!(read("Cargo.toml").contains(&format!("rust-version = \"{minor}\"")), "Cargo.toml: not {minor}");
    assert!(read("deploy/docker/Dockerfile").contains(&format!("FROM rust:{version}-")), "Dockerfile: not {version}");
}

#[test]
fn names_of_tests_have_no_test_prefix() {
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

fn long_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut in_code = false;
    let mut long = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && !line.starts_with('|') && line.chars().count() > LONGEST_MARKDOWN_LINE {
            long.push(format!("{}:{}", path.strip_prefix(root()).unwrap().display(), index + 1));
        }
    }
    long
}
