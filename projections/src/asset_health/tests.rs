//! Unit tests of the fold and of its rows.

use super::{HealthChangeRow, HealthRow, fold};
use crate::row_batch::RowBatch;
use crate::test_events::{ID, ORGANIZATION, at};

fn change(score: i16, seconds: i64, position: i64) -> HealthChangeRow {
    HealthChangeRow {
        asset_id: ID,
        organization_id: ORGANIZATION,
        score,
        previous: None,
        cause: None,
        measured_at: at(seconds),
        computed_by: Some(position),
        formula_version: Some(1),
        position,
        ordinal: 0,
    }
}

#[test]
fn the_newest_reading_decides_the_health_even_if_older_ones_arrive_later() {
    for (changes, score) in [
        (vec![change(50, 1, 1)], (50, 1)),
        (vec![change(50, 1, 1), change(60, 2, 2)], (60, 2)),
        (vec![change(50, 2, 1), change(60, 1, 2)], (50, 1)),
        (vec![change(50, 1, 1), change(60, 1, 2)], (60, 2)),
    ] {
        let mut rows = RowBatch::<HealthRow>::default();
        changes.iter().for_each(|change| fold(&mut rows, change));
        let row = rows.get(ID).unwrap();
        assert_eq!((row.score, row.computed_by.unwrap()), score);
    }
}
