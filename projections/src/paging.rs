//! Parts of long lists: how many, and from where on. A cursor in a list is the last item's value of the column that orders
//! the list and its id, so that what comes or goes before it moves nothing.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::sql_values::strip_nul;

/// How far a total is counted; beyond it a list is just long.
pub const MAX_COUNTED: i64 = 10_000;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// At most so many, at least 1, at most 1,000.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
    /// After this cursor, where one is given.
    pub after: Option<PageCursor>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: 50, offset: 0, after: None }
    }
}

impl Paging {
    /// Returns the first so many.
    pub fn first(limit: i64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Returns the limit within its bounds.
    pub fn limit(&self) -> i64 {
        self.limit.clamp(1, 1000)
    }

    /// Returns the offset within its bounds.
    pub fn offset(&self) -> i64 {
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
    /// Where the part ends, where the list goes on behind it.
    pub next: Option<PageCursor>,
}

impl<T> Page<T> {
    /// Returns the page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), total: self.total, next: self.next }
    }
}

/// A cursor in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageCursor {
    /// The column that orders the list.
    column: String,
    id: Uuid,
    /// The column's value there, as text.
    value: String,
}

/// A text names no cursor in a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor in a list")]
pub struct InvalidPageCursor;

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}~{}", self.column, self.id, self.value)
    }
}

impl FromStr for PageCursor {
    type Err = InvalidPageCursor;

    fn from_str(text: &str) -> Result<Self, InvalidPageCursor> {
        let mut parts = text.splitn(3, '~');
        let mut part = || parts.next().ok_or(InvalidPageCursor);
        let (column, id, value) =
            (part()?.to_owned(), part()?.parse().map_err(|_| InvalidPageCursor)?, strip_nul(part()?));
        Ok(Self { column, id, value })
    }
}

/// How a list is ordered: by one column, and by id among equals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    column: &'static str,
    kind: &'static str,
    descending: bool,
}

impl Order {
    /// By name.
    pub(crate) const NAME: Self = Self::text("name");

    /// By a text.
    pub(crate) const fn text(column: &'static str) -> Self {
        Self { column, kind: "text", descending: false }
    }

    /// The oldest first, by this time.
    pub(crate) const fn oldest(column: &'static str) -> Self {
        Self { column, kind: "timestamptz", descending: false }
    }

    /// The newest first, by this time.
    pub(crate) const fn newest(column: &'static str) -> Self {
        Self { column, kind: "timestamptz", descending: true }
    }

    /// The other way round.
    pub(crate) const fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// The order in SQL.
    pub(crate) fn by(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        format!("{} {direction}, id {direction}", self.column)
    }

    /// The condition in SQL that a row stands behind a cursor, with the numbers of two parameters.
    pub(crate) fn after(&self, value: usize, id: usize) -> String {
        let sign = if self.descending { '<' } else { '>' };
        format!("({}, id) {sign} (${value}::text::{}, ${id}::uuid)", self.column, self.kind)
    }

    /// What a cursor in this list is bound as.
    pub(crate) fn bind_values<'p>(&self, cursor: &'p PageCursor) -> Result<(&'p str, Uuid), InvalidPageCursor> {
        let is_value = self.kind == "text" || DateTime::parse_from_rfc3339(&cursor.value).is_ok();
        if cursor.column == self.column && is_value { Ok((&cursor.value, cursor.id)) } else { Err(InvalidPageCursor) }
    }

    /// Where a row stands.
    pub(crate) fn cursor_of(&self, row: &Value) -> Option<PageCursor> {
        let text = |column: &str| row.get(column).and_then(Value::as_str);
        let (value, id) = (text(self.column)?.to_owned(), text("id")?.parse().ok()?);
        Some(PageCursor { column: self.column.to_owned(), id, value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_counts_in_its_own_list_alone() {
        let row = json!({"name": "a~b ~", "id": Uuid::from_u128(7), "raised_at": "2026-11-25T15:00:00.123456+00:00"});
        for order in [Order::NAME, Order::newest("raised_at")] {
            let cursor = order.cursor_of(&row).unwrap();
            assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
            assert_eq!(order.bind_values(&cursor).unwrap().1, Uuid::from_u128(7));
        }
        let cursor = Order::NAME.cursor_of(&row).unwrap();
        assert_eq!(Order::oldest("created_at").bind_values(&cursor), Err(InvalidPageCursor));
        let forged: PageCursor = format!("raised_at~{}~yesterday", Uuid::nil()).parse().unwrap();
        assert_eq!(Order::newest("raised_at").bind_values(&forged), Err(InvalidPageCursor));
        for text in ["", "name", "name~x~y", "name~00000000-0000-0000-0000-000000000000"] {
            assert_eq!(text.parse::<PageCursor>(), Err(InvalidPageCursor), "{text}");
        }
    }
}
