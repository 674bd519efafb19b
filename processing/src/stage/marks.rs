//! How far each source of a reader was read, so that what comes again has no effect again.

use std::collections::BTreeMap;

use domain::telemetry::Origin;
use serde::{Deserialize, Serialize};

/// The last origin seen of each source. A source is a subject: its last token names who wrote it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks(BTreeMap<String, Origin>);

impl Marks {
    /// Answers the mark of a source for reading on; none before the first.
    pub fn of(&mut self, subject: &str) -> Mark<'_> {
        if !self.0.contains_key(subject) {
            return Mark { seen: None, held: self.0.entry(subject.to_owned()).or_default() };
        }
        let held = self.0.entry(subject.to_owned()).or_default();
        Mark { seen: Some(*held), held }
    }
}

/// The mark of one source.
pub struct Mark<'m> {
    seen: Option<Origin>,
    held: &'m mut Origin,
}

impl Mark<'_> {
    /// Tells whether a value is new, and moves the mark to it if so.
    pub fn admits(&mut self, origin: Origin) -> bool {
        let is_new = self.seen.is_none_or(|seen| origin > seen);
        if is_new {
            self.seen = Some(origin);
            *self.held = origin;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_or_below_the_mark_of_its_source_is_not_new() {
        let mut marks = Marks::default();
        let at = |sequence, ordinal| Origin { sequence, ordinal };
        let admitted =
            [at(0, 0), at(5, 0), at(5, 1), at(5, 1), at(4, 9), at(6, 0)].map(|origin| marks.of("a.1").admits(origin));
        assert_eq!(admitted, [true, true, true, false, false, true]);
        assert!(marks.of("a.2").admits(at(1, 0)), "another source has its own mark");
        assert!(!marks.of("a.1").admits(at(6, 0)));
    }
}
