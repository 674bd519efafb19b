//! The edge against real servers: devices with real certificates over real sockets, and the log read back. One program,
//! so that its tests share one set of servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod broker;
mod client;
mod faults;
mod http;
mod http_client;
mod http_faults;
mod publishing;
mod sessions;
mod world;
