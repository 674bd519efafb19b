//! Every role stops within ten seconds of being asked, under load, and takes nothing with it.

use std::time::Duration;

use crate::load::Load;
use crate::platform::{Platform, ROLES};
use crate::wait::wait_for;

/// How long a role may take to stop.
const SOON: Duration = Duration::from_secs(10);
/// From one stop to the next.
const BETWEEN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn every_role_drains_within_ten_seconds_under_load_and_nothing_is_lost() {
    let mut platform = Platform::separate_roles().await;
    let load = Load::start(&platform, 100, 1000, 40);
    for role in ROLES {
        wait_for(BETWEEN);
        let (status, took) = tokio::task::block_in_place(|| platform.stop(role));
        assert!(status.success(), "{role} ended with {status}:\n{}", platform.log(role));
        assert!(took < SOON, "{role} took {took:?}");
        eprintln!("{role} stopped in {took:?}");
        platform.start(role);
    }
    tokio::task::block_in_place(|| load.assert_nothing_missing_or_duplicated());
}
