//! High-water marks: how far each source was read, so that repeated input has no effect.

use std::collections::BTreeMap;

use domain::telemetry::Origin;
use serde::{Deserialize, Serialize};

/// The last origin read from each source. A source is a subject, whose last token names its writer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HighWaterMarks(BTreeMap<String, Origin>);

impl HighWaterMarks {
    /// Returns the mark of a source. A source that was never read admits every origin.
    pub fn of(&mut self, subject: &str) -> HighWaterMark<'_> {
        // `Origin::default()` is a valid origin, so an unread source needs `None` rather than the default.
        if !self.0.contains_key(subject) {
            return HighWaterMark { last: None, held: self.0.entry(subject.to_owned()).or_default() };
        }
        let held = self.0.entry(subject.to_owned()).or_default();
        HighWaterMark { last: Some(*held), held }
    }
}

/// The high-water mark of one source.
pub struct HighWaterMark<'m> {
    last: Option<Origin>,
    held: &'m mut Origin,
}

impl HighWaterMark<'_> {
    /// Whether a value is new; advances the mark to it if so.
    pub fn admits(&mut self, origin: Origin) -> bool {
        let is_new = self.last.is_none_or(|last| origin > last);
        if is_new {
            self.last = Some(origin);
            *self.held = origin;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_at_or_below_the_mark_of_its_source_is_not_new() {
        let mut marks = HighWaterMarks::default();
        let at = |sequence, ordinal| Origin { sequence, ordinal };
        let admitted =
            [at(0, 0), at(5, 0), at(5, 1), at(5, 1), at(4, 9), at(6, 0)].map(|origin| marks.of("a.1").admits(origin));
        assert_eq!(admitted, [true, true, true, false, false, true]);
        assert!(marks.of("a.2").admits(at(1, 0)), "another source has its own mark");
        assert!(!marks.of("a.1").admits(at(6, 0)));
    }
}
