//! Tests of the bridge against a real mosquitto: stock clients with real certificates, and the log read back. One test
//! binary, so that all tests share one set of servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod fleet;
mod presence;
mod refusals;
mod sharing;
mod test_broker;
#[path = "../edge/test_platform.rs"]
#[allow(dead_code, reason = "shared with the tests of the edge")]
mod test_platform;
