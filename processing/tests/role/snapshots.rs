//! Snapshots of units: completeness, fencing and versions.

use eventlog::{BucketName, Log, Positions, Stream};
use processing::stage::{SnapshotError, Snapshots, UnitState};

use crate::test_platform::TestPlatform;

async fn snapshots(log: &Log, version: u32, writer: &str) -> Snapshots {
    Snapshots::new(log.bucket(BucketName::StageState).await.unwrap(), "stage", version, writer)
}

fn unit_state(bytes: usize) -> UnitState<Vec<String>> {
    let mut unit_state = UnitState::default();
    unit_state.state = vec!["x".repeat(bytes); 3];
    unit_state.positions = Positions::at([(Stream::EventsThreshold, 7)]);
    unit_state.marks.of("events.threshold.v1.1.2").admits(domain::telemetry::Origin { sequence: 3, ordinal: 1 });
    unit_state
}

#[tokio::test]
async fn a_snapshot_is_read_back_whether_small_or_in_parts() {
    let platform = TestPlatform::new().await;
    let snapshots = snapshots(&platform.log, 1, "a").await;
    let (empty, mut revision) = snapshots.read::<Vec<String>>(3).await.unwrap();
    assert_eq!((empty.state, empty.positions), (vec![], Positions::new()));
    for bytes in [10, 700_000, 600_000, 5] {
        let written = unit_state(bytes);
        revision = snapshots.write(3, &written, revision).await.unwrap();
        let (read, at) = snapshots.read::<Vec<String>>(3).await.unwrap();
        assert_eq!((&read.state, &read.positions, &read.marks), (&written.state, &written.positions, &written.marks));
        assert_eq!(at, revision);
    }
}

#[tokio::test]
async fn a_replaced_owner_is_fenced() {
    let platform = TestPlatform::new().await;
    let (old, new) = (snapshots(&platform.log, 1, "a").await, snapshots(&platform.log, 1, "b").await);
    let (_, nothing) = old.read::<Vec<String>>(0).await.unwrap();
    let first = old.write(0, &unit_state(1), nothing).await.unwrap();
    new.write(0, &unit_state(2), first).await.unwrap();
    assert!(matches!(old.write(0, &unit_state(3), first).await, Err(SnapshotError::Fenced(_))));
    assert!(matches!(old.write(0, &unit_state(3), nothing).await, Err(SnapshotError::Fenced(_))));
    assert_eq!(old.read::<Vec<String>>(0).await.unwrap().0.state, unit_state(2).state);
}

#[tokio::test]
async fn a_snapshot_of_another_version_is_refused() {
    let platform = TestPlatform::new().await;
    let (one, two) = (snapshots(&platform.log, 1, "a").await, snapshots(&platform.log, 2, "a").await);
    let (_, nothing) = one.read::<Vec<String>>(0).await.unwrap();
    one.write(0, &unit_state(1), nothing).await.unwrap();
    let refused = two.read::<Vec<String>>(0).await.err().unwrap();
    assert!(matches!(&refused, SnapshotError::Version { found: 1, known: 2, .. }) && refused.is_final(), "{refused}");
}
