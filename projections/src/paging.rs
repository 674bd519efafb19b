//! Pages of long lists. A cursor holds the last item's id and its value in the ordering column, so that inserts and
//! deletions before it do not shift the next page.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use domain::validation::is_time;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::sql_values::strip_nul;

/// Totals are counted up to this; counting a longer list would read all of it.
pub const MAX_COUNTED: i64 = 10_000;

/// Which page of a list to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// The number of items, 1 to 1,000.
    pub limit: i64,
    /// The number of items to skip.
    pub offset: i64,
    /// Start after this cursor, if given.
    pub after: Option<PageCursor>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: 50, offset: 0, after: None }
    }
}

impl Paging {
    /// Returns the first page with this limit.
    pub fn first(limit: i64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Returns the limit, clamped to its bounds.
    pub fn limit(&self) -> i64 {
        self.limit.clamp(1, 1000)
    }

    /// Returns the offset, at least 0.
    pub fn offset(&self) -> i64 {
        self.offset.max(0)
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// The length of the whole list; 10,001 means more than 10,000.
    pub total: i64,
    /// The cursor of the next page, if there is one.
    pub next: Option<PageCursor>,
}

impl<T> Page<T> {
    /// Converts every item.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), total: self.total, next: self.next }
    }
}

/// A position in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageCursor {
    /// The column that orders the list.
    column: String,
    id: Uuid,
    /// The column's value in that item, as text.
    value: String,
}

/// The text is not a cursor of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
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

/// The order of a list: by one column, then by id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    column: &'static str,
    kind: &'static str,
    descending: bool,
}

impl Order {
    /// By name.
    pub(crate) const NAME: Self = Self::text("name");

    /// By a text column.
    pub(crate) const fn text(column: &'static str) -> Self {
        Self { column, kind: "text", descending: false }
    }

    /// By a time, oldest first.
    pub(crate) const fn oldest(column: &'static str) -> Self {
        Self { column, kind: "timestamptz", descending: false }
    }

    /// By a time, newest first.
    pub(crate) const fn newest(column: &'static str) -> Self {
        Self { column, kind: "timestamptz", descending: true }
    }

    /// Returns the reverse order.
    pub(crate) const fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// Returns the `ORDER BY` clause without its keyword.
    pub(crate) fn by(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        format!("{} {direction}, id {direction}", self.column)
    }

    /// Returns the SQL condition that a row comes after a cursor, with the numbers of its two parameters.
    pub(crate) fn after(&self, value: usize, id: usize) -> String {
        let sign = if self.descending { '<' } else { '>' };
        format!("({}, id) {sign} (${value}::text::{}, ${id}::uuid)", self.column, self.kind)
    }

    /// Returns the values to bind for a cursor; errors if it belongs to a list in another order.
    pub(crate) fn bind_values<'p>(&self, cursor: &'p PageCursor) -> Result<(&'p str, Uuid), InvalidPageCursor> {
        let is_value =
            self.kind == "text" || DateTime::parse_from_rfc3339(&cursor.value).is_ok_and(|at| is_time(at.to_utc()));
        if cursor.column == self.column && is_value { Ok((&cursor.value, cursor.id)) } else { Err(InvalidPageCursor) }
    }

    /// Returns the cursor of a row.
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
    fn a_cursor_is_read_back_from_its_text_and_is_refused_by_other_lists() {
        let row = json!({"name": "a~b ~", "id": Uuid::from_u128(7), "raised_at": "2026-11-25T15:00:00.123456+00:00"});
        for order in [Order::NAME, Order::newest("raised_at")] {
            let cursor = order.cursor_of(&row).unwrap();
            assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
            assert_eq!(order.bind_values(&cursor).unwrap().1, Uuid::from_u128(7));
        }
        let cursor = Order::NAME.cursor_of(&row).unwrap();
        assert_eq!(Order::oldest("created_at").bind_values(&cursor), Err(InvalidPageCursor));
        for forged in ["yesterday", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-08:00"] {
            let forged: PageCursor = format!("raised_at~{}~{forged}", Uuid::nil()).parse().unwrap();
            assert_eq!(Order::newest("raised_at").bind_values(&forged), Err(InvalidPageCursor));
        }
        for text in ["", "name", "name~x~y", "name~00000000-0000-0000-0000-000000000000"] {
            assert_eq!(text.parse::<PageCursor>(), Err(InvalidPageCursor), "{text}");
        }
    }
}
