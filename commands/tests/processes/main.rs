//! Runs every command against real servers: dispatching, unique claims, and each multi-step command, both repeated and
//! interrupted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api_keys;
mod bootstrap;
mod certificates;
mod crash_points;
mod device_tokens;
mod devices;
mod dispatch;
mod enrolment;
mod event_store_backend;
mod event_store_choice;
mod organizations;
mod replacement;
mod sessions;
mod sign_in;
mod test_platform;
mod users;
