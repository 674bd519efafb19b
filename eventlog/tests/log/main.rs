//! The event log against a real nats-server: what is declared, published, consumed, followed, owned and kept secret,
//! and what all of it does when the server is killed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audit;
mod buckets;
mod checkpoints;
mod consuming;
mod following;
mod members;
mod outages;
mod packing_lanes;
mod publishing;
mod streams;
mod support;
