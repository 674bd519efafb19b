//! Commands against a real server: dispatching, claims, and every process, repeated and broken off.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api_keys;
mod backend;
mod bootstrapping;
mod certificates;
mod chosen;
mod device_tokens;
mod devices;
mod dispatching;
mod enrolling;
mod interrupt;
mod organizations;
mod replacing;
mod sessions;
mod signing_in;
mod users;
mod world;
