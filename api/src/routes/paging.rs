//! Parts of long lists, by `limit` and `cursor`, or `offset`.

use data_encoding::BASE64URL_NOPAD;
use poem_openapi::param::Query;
use projections::{PageCursor, Paging};
use uuid::Uuid;

use crate::problem::Problem;

/// Longest part.
const MOST: i64 = 1000;

/// The `cursor` of a list: the `nextCursor` of the part before.
pub type Cursor = Query<Option<String>>;

/// Returns which part is meant: 50 from the beginning by default.
pub fn paging(limit: Query<Option<i64>>, offset: Query<Option<i64>>, cursor: &Cursor) -> Result<Paging, Problem> {
    let usual = Paging::default();
    let (limit, offset) = (limit.0.unwrap_or(usual.limit), offset.0.unwrap_or(usual.offset));
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::parameter("limit", format_args!("must lie in 1 to {MOST}")));
    }
    if offset < 0 {
        return Err(Problem::parameter("offset", "must not be negative"));
    }
    Ok(Paging { limit, offset, after: cursor.0.as_deref().map(place).transpose()? })
}

/// Which part is wanted of a list that is in memory as a whole.
pub struct InMemoryPaging {
    limit: usize,
    offset: usize,
    after: Option<Uuid>,
}

impl InMemoryPaging {
    /// Reads what is wanted: 50 from the beginning by default. A cursor is the id of the last item before.
    pub fn new(limit: Query<Option<i64>>, offset: Query<Option<i64>>, cursor: &Cursor) -> Result<Self, Problem> {
        let paging = paging(limit, offset, &Query(None))?;
        let after = cursor.0.as_deref().map(str::parse).transpose().map_err(|_| unknown_cursor())?;
        let size = |number: i64| usize::try_from(number).unwrap_or_default();
        Ok(Self { limit: size(paging.limit), offset: size(paging.offset), after })
    }

    /// Returns the part of a list, how many items the whole has, and where the next part begins.
    pub fn page<T>(&self, items: Vec<T>, id: impl Fn(&T) -> Uuid) -> Result<(Vec<T>, i64, Option<String>), Problem> {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let start = match self.after {
            Some(after) => items.iter().position(|item| id(item) == after).ok_or_else(unknown_cursor)? + 1,
            None => self.offset,
        };
        let goes_on = items.len() > start.saturating_add(self.limit);
        let page: Vec<T> = items.into_iter().skip(start).take(self.limit).collect();
        let next = page.last().filter(|_| goes_on).map(|item| id(item).to_string());
        Ok((page, total, next))
    }
}

/// Writes where a part ends.
pub fn next_cursor(next: Option<PageCursor>) -> Option<String> {
    next.map(|place| BASE64URL_NOPAD.encode(place.to_string().as_bytes()))
}

fn place(cursor: &str) -> Result<PageCursor, Problem> {
    let read = || String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?.parse().ok();
    read().ok_or_else(unknown_cursor)
}

fn unknown_cursor() -> Problem {
    Problem::parameter("cursor", "is not the nextCursor of this list")
}
