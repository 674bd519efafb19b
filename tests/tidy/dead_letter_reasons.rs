//! The documents list every reason of dead letters, and no other.

use std::collections::BTreeSet;
use std::fs;

use domain::telemetry::payload::Reason;

#[test]
fn documents_list_every_reason_of_dead_letters() {
    let known: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    for (path, column) in [("docs/devices.md", 1), ("docs/events.md", 2)] {
        let text = fs::read_to_string(super::root().join(path)).unwrap();
        let section = text.split("\n## ").find(|section| section.starts_with("Dead letters\n")).expect(path);
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let cells = rows.filter_map(|row| row.split('|').nth(column));
        // Every second part is inside of backticks.
        let listed: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        assert_eq!(listed, known, "{path}");
    }
}
