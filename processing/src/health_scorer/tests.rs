//! Asset packs in, changes of health out.

use domain::telemetry::{AssetReading, decode_pack, encode_pack};
use eventlog::Stream;

use super::*;
use crate::testing::{ACME, MemoryLog, Plan, asset, at, device, run_stage, world};

fn values(log: &mut MemoryLog, group: u16, sequence: u64, measured: i64, heat: f64) {
    let reading = AssetReading {
        origin: Origin { sequence, ordinal: 0 },
        organization: ACME,
        asset: AssetId(asset(1)),
        source_devices: vec![device(u128::from(group))],
        measured_at: at(measured),
        received_at: at(measured),
        set: 0,
        numbers: vec![heat, 5.0],
        others: vec![],
    };
    let sets = MetricSets(vec![vec!["heat".to_owned(), "noise".to_owned()]]);
    let pack = AssetPack {
        es_position: world().0.position(),
        read_up_to: sequence,
        sets,
        readings: vec![reading],
        health: vec![],
        tick: None,
    };
    log.store(Stream::TelemetryAsset, &format!("1.{group}"), encode_pack(&pack).unwrap());
}

#[test]
fn a_change_is_told_when_the_score_moves_by_a_whole_point() {
    let mut log = MemoryLog::default();
    let readings = [
        (0, 1, 1, 40.0),
        (0, 2, 2, 50.0),
        (1, 2, 3, 75.0),
        (0, 3, 4, 75.1),
        (1, 3, 5, 76.0),
        (0, 4, 4, 10.0),
        (0, 4, 9, 10.0),
    ];
    readings
        .into_iter()
        .for_each(|(group, sequence, measured, heat)| values(&mut log, group, sequence, measured, heat));
    run_stage(&HealthScorer, &world().0, &mut log, &Plan { batches: vec![(2, None), (1, None)], snapshot_every: 1 });
    let own: Vec<_> =
        log.read(Stream::TelemetryAsset).iter().filter(|message| message.subject_tail() == "1.16").collect();
    let changes = own.iter().flat_map(|message| decode_pack::<AssetPack>(&message.payload).unwrap().health);
    let changes: Vec<_> =
        changes.map(|change| (change.previous, change.score, change.cause, change.origin.sequence)).collect();
    let heat = || Some("heat".to_owned());
    assert_eq!(changes, [(None, 100, None, 1), (Some(100), 50, heat(), 3), (Some(50), 48, heat(), 5)]);
}

#[test]
fn its_own_packs_are_no_input() {
    let mut log = MemoryLog::default();
    let own = log.store(Stream::TelemetryAsset, "1.16", encode_pack(&AssetPack::default()).unwrap());
    let other = log.store(Stream::TelemetryAsset, "1.3", encode_pack(&AssetPack::default()).unwrap());
    assert_eq!((HealthScorer::unit(&own), HealthScorer::unit(&other)), (None, Some(1)));
    let some = HealthScorer::sources(&BTreeSet::from([7]));
    assert_eq!(some[0].filters, ["7.0", "7.1", "7.2", "7.3"]);
}
