//! The same commands with the events in PostgreSQL: the very files of `processes`, with another backend.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../processes/api_keys.rs"]
mod api_keys;
mod backend;
#[path = "../processes/bootstrapping.rs"]
mod bootstrapping;
#[path = "../processes/certificates.rs"]
mod certificates;
#[path = "../processes/device_tokens.rs"]
mod device_tokens;
#[path = "../processes/devices.rs"]
mod devices;
#[path = "../processes/dispatching.rs"]
mod dispatching;
#[path = "../processes/enrolling.rs"]
mod enrolling;
#[path = "../processes/interrupt.rs"]
mod interrupt;
#[path = "../processes/organizations.rs"]
mod organizations;
#[path = "../processes/sessions.rs"]
mod sessions;
#[path = "../processes/signing_in.rs"]
mod signing_in;
#[path = "../processes/users.rs"]
mod users;
#[path = "../processes/world.rs"]
mod world;
