//! The event store conformance suite, run on the journal in JetStream on a real server, plus tests of what every event
//! store guarantees beyond the suite: one message per command, the hash chain, snapshots, the cache, certainty about
//! lost replies. `pgstore` runs the same files on PostgreSQL with its own backend.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backend;
mod caching;
mod counter;
mod crashes;
mod fixture;
mod full_stream;
mod limits;
mod lost_replies;
mod proxy;
mod snapshots;
mod stored_messages;
mod suite;
