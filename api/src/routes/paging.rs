//! Parts of long lists, by `limit` and `cursor`, or `offset`.

use data_encoding::BASE64URL_NOPAD;
use poem_openapi::param::Query;
use projections::{Paging, Place};

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

/// Writes where a part ends.
pub fn next_cursor(next: Option<Place>) -> Option<String> {
    next.map(|place| BASE64URL_NOPAD.encode(place.to_string().as_bytes()))
}

fn place(cursor: &str) -> Result<Place, Problem> {
    let read = || String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?.parse().ok();
    read().ok_or_else(|| Problem::parameter("cursor", "is not the nextCursor of this list"))
}
