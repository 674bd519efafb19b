//! Runs the tests of `processes` with the events in PostgreSQL: the same files, another `event_store_backend`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../processes/api_keys.rs"]
mod api_keys;
#[path = "../processes/bootstrap.rs"]
mod bootstrap;
#[path = "../processes/certificates.rs"]
mod certificates;
#[path = "../processes/crash_points.rs"]
mod crash_points;
#[path = "../processes/device_tokens.rs"]
mod device_tokens;
#[path = "../processes/devices.rs"]
mod devices;
#[path = "../processes/dispatch.rs"]
mod dispatch;
#[path = "../processes/enrolment.rs"]
mod enrolment;
mod event_store_backend;
#[path = "../processes/organizations.rs"]
mod organizations;
#[path = "../processes/sessions.rs"]
mod sessions;
#[path = "../processes/sign_in.rs"]
mod sign_in;
#[path = "../processes/test_platform.rs"]
mod test_platform;
#[path = "../processes/users.rs"]
mod users;
