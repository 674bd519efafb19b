//! Tests of the role against a real nats-server: one reading through all stages, and proof that kills and concurrent
//! owners change nothing.
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
