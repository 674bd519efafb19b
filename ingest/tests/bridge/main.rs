//! The bridge against a real broker: stock clients with real certificates at mosquitto, and the log read back. One program,
//! so that its tests share one set of servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod fleet;
mod presence;
mod refusals;
mod sharing;
mod site;
#[path = "../edge/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the edge")]
mod world;
