//! Parts of long lists.

use serde::Serialize;

/// How far a total is counted; beyond it a list is just long.
pub const COUNTED: i64 = 10_000;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// At most so many, at least 1, at most 1,000.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: 50, offset: 0 }
    }
}

impl Paging {
    /// Returns the limit within its bounds.
    pub fn limit(self) -> i64 {
        self.limit.clamp(1, 1000)
    }

    /// Returns the offset within its bounds.
    pub fn offset(self) -> i64 {
        self.offset.max(0)
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// The wanted part.
    pub items: Vec<T>,
    /// How many there are in all; 10,001 says more than 10,000.
    pub total: i64,
}

impl<T> Page<T> {
    /// Returns the page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), total: self.total }
    }
}
