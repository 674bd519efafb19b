//! Parts of long lists, by `limit` and `offset`.

use poem_openapi::param::Query;
use projections::Paging;

use crate::problem::Problem;

/// Longest part.
const MOST: i64 = 1000;

/// Returns which part is meant: 50 from the beginning by default.
pub fn paging(limit: Query<Option<i64>>, offset: Query<Option<i64>>) -> Result<Paging, Problem> {
    let usual = Paging::default();
    let (limit, offset) = (limit.0.unwrap_or(usual.limit), offset.0.unwrap_or(usual.offset));
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::parameter("limit", format_args!("must lie in 1 to {MOST}")));
    }
    if offset < 0 {
        return Err(Problem::parameter("offset", "must not be negative"));
    }
    Ok(Paging { limit, offset })
}
