//! Every role shuts down within ten seconds of SIGTERM under load, without losing a message.

use std::time::Duration;

use crate::load::Load;
use crate::platform::{Platform, ROLES};
use crate::wait::wait_for;

/// Longest time for a role to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Time between two stops.
const BETWEEN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn every_role_stops_within_ten_seconds_under_load_and_loses_nothing() {
    let mut platform = Platform::separate_roles().await;
    let load = Load::start(&platform, 100, 1000, 40);
    for role in ROLES {
        wait_for(BETWEEN);
        let (status, took) = tokio::task::block_in_place(|| platform.stop(role));
        assert!(status.success(), "{role} ended with {status}:\n{}", platform.log(role));
        assert!(took < STOP_WITHIN, "{role} took {took:?}");
        eprintln!("{role} stopped in {took:?}");
        platform.start(role);
    }
    tokio::task::block_in_place(|| load.assert_nothing_missing_or_duplicated());
}
