//! The role against a real nats-server: one reading's way through all stages, and what kills and second owners change
//! (nothing).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod certificates;
mod day;
mod killed;
mod refusing;
mod seen;
mod sharing;
mod snapshots;
mod through;
mod world;
