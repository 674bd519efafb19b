//! A value with its history by log position.

/// The versions of a value, each valid from a log position on. Lookups are as of a position, so that the same log gives
/// the same results however it is split or replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Versions<T>(Vec<(u64, T)>);

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Versions<T> {
    /// Sets the value from a position on; positions must not decrease.
    pub fn set(&mut self, position: u64, value: T) {
        // Several events may share a position; together they are one version.
        match self.0.last_mut() {
            Some((last, held)) if *last == position => *held = value,
            _ => self.0.push((position, value)),
        }
    }

    /// Returns the value as of a position.
    pub fn at(&self, position: u64) -> Option<&T> {
        match self.0.last() {
            // Fast path: nearly all lookups are for the newest version.
            Some((from, newest)) if *from <= position => Some(newest),
            _ => {
                let after = self.0.partition_point(|(from, _)| *from <= position);
                after.checked_sub(1).map(|index| &self.0[index].1)
            }
        }
    }

    /// Returns the newest value.
    pub fn newest(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }
}

impl<T: Clone> Versions<T> {
    /// Changes the newest value from a position on; does nothing if there is no value.
    pub fn change(&mut self, position: u64, change: impl FnOnce(&mut T)) {
        if let Some(mut value) = self.newest().cloned() {
            change(&mut value);
            self.set(position, value);
        }
    }
}
