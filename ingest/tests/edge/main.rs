//! Tests of the edge against real servers: devices with real certificates over real sockets, and the log read back. One
//! test binary, so that all tests share one set of servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod emqx;
mod faults;
mod http;
mod http_client;
mod http_faults;
mod mqtt_client;
mod publishing;
mod qos_2;
mod sessions;
mod test_platform;
