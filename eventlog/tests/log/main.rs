//! Tests of the event log against a real nats-server: streams, publishing, consuming, following, membership, buckets
//! and secrets, and their behaviour when the server is killed.
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
