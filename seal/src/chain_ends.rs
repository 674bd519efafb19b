//! The end of every hash chain as text, and the comparison of that text with the log. It names the aggregates that differ,
//! which the Merkle root alone cannot.

use std::collections::BTreeMap;

use eventlog::audit::Audit;

/// Formats the end of every chain, one line `<subject> <version> <digest>` each.
pub fn format(audit: &Audit) -> String {
    audit.ends.iter().map(|(subject, end)| format!("{subject} {} {}\n", end.version, end.hash)).collect()
}

/// Compares sealed chain ends with those of the log; returns one line for each aggregate that differs.
pub fn differences(sealed: &str, now: &Audit) -> Vec<String> {
    let sealed: BTreeMap<&str, &str> = sealed.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut differences = Vec::new();
    for (subject, sealed) in &sealed {
        let found = now.ends.get(*subject).map(|end| format!("{} {}", end.version, end.hash));
        match found {
            None => differences.push(format!("{subject} is missing from the log")),
            Some(found) if found != *sealed => {
                differences.push(format!("{subject} ends with {found}, the seal has {sealed}"));
            }
            Some(_) => {}
        }
    }
    let added = now.ends.keys().filter(|subject| !sealed.contains_key(subject.as_str()));
    differences.extend(added.map(|subject| format!("{subject} is missing from the seal")));
    differences
}

#[cfg(test)]
mod tests {
    use eventlog::audit::ChainEnd;
    use eventlog::store::Digest;

    use super::*;

    #[test]
    fn every_aggregate_that_differs_is_named() {
        let end = |version| ChainEnd { version, hash: Digest::of(b"x") };
        let audit = |ends: &[(&str, u64)]| Audit {
            ends: ends.iter().map(|(subject, version)| ((*subject).to_owned(), end(*version))).collect(),
            ..Audit::default()
        };
        let sealed = format(&audit(&[("es.a", 1), ("es.b", 2), ("es.c", 3)]));
        assert_eq!(differences(&sealed, &audit(&[("es.a", 1), ("es.b", 2), ("es.c", 3)])), Vec::<String>::new());
        let found = differences(&sealed, &audit(&[("es.a", 1), ("es.c", 2), ("es.d", 1)]));
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], "es.b is missing from the log");
        assert!(found[1].starts_with("es.c ends with 2 "), "{}", found[1]);
        assert_eq!(found[2], "es.d is missing from the seal");
    }
}
