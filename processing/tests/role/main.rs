//! The role against a real nats-server: one reading's way through all stages, and what kills and second owners change
//! (nothing).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod certificate_watch;
mod dead_letters;
mod end_to_end;
mod observed;
mod partition_ownership;
mod simulated_day;
mod snapshots;
mod stage_kills;
mod test_platform;
