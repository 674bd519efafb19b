//! Given, when, then: taking, routing and the aggregates of hours, without a database.

use uuid::Uuid;

use super::hours::{Aggregate, HOUR, hour_of};
use super::keys::Resolved;
use super::route::{HighWater, Routed};
use super::take::{Kind, Row};
use super::write::day_of;

fn row(kind: Kind, entity: i32, source: i32, measured_at: i64) -> Resolved {
    let row = Row {
        computed: false,
        entity: Uuid::nil(),
        kind,
        organization: Uuid::nil(),
        measured_at,
        set: 0,
        numbers: vec![1.0],
        others: None,
        flaws: None,
        sources: vec![],
        position: 0,
    };
    Resolved { entity, set: 1, sources: if kind == Kind::Asset { vec![source] } else { vec![] }, row }
}

fn times(rows: &[Resolved]) -> Vec<i64> {
    rows.iter().map(|row| row.row.measured_at).collect()
}

#[test]
fn what_is_not_newer_than_its_entity_is_late() {
    let mut marks = HighWater::default();
    let device = |entity, at| row(Kind::Device, entity, 0, at);
    let Routed { newest, late } =
        marks.route(vec![device(1, 10), device(1, 10), device(1, 5), device(2, 5), device(1, 11)]);
    assert_eq!((times(&newest), times(&late)), (vec![10, 5, 11], vec![10, 5]));
    let next = marks.route(vec![device(1, 11), device(1, 12)]);
    assert_eq!((times(&next.newest), times(&next.late)), (vec![12], vec![11]));
}

#[test]
fn the_devices_of_an_asset_need_not_be_in_step() {
    let asset = |source, at| row(Kind::Asset, 1, source, at);
    let routed = HighWater::default().route(vec![asset(7, 10), asset(8, 5), asset(8, 6), asset(7, 10)]);
    assert_eq!((times(&routed.newest), times(&routed.late)), (vec![10, 5, 6], vec![10]));
}

#[test]
fn an_aggregate_has_count_bounds_and_sum_of_each_metric() {
    let mut aggregate = Aggregate::default();
    aggregate.add(&[1.0, -1.0], &[]);
    aggregate.add(&[3.0, -5.0], &[4, 4]);
    assert_eq!((aggregate.counts, aggregate.sums), (vec![2, 2], vec![4.0, -6.0]));
    assert_eq!((aggregate.minima, aggregate.maxima), (vec![1.0, -5.0], vec![3.0, -1.0]));
    assert_eq!(aggregate.sources.into_iter().collect::<Vec<_>>(), [4]);
}

#[test]
fn hours_and_days_begin_before_the_epoch_too() {
    assert_eq!((hour_of(HOUR + 1), hour_of(HOUR), hour_of(-1)), (HOUR, HOUR, -HOUR));
    assert_eq!(day_of(-1).unwrap().to_string(), "1969-12-31");
}
