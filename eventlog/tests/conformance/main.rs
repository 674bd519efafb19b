//! The conformance suite of event stores, over the store whose events JetStream keeps, on a real server; and what any of
//! them promises beyond it: one message per command, the hash chain, snapshots, the cache, certainty about lost answers.
//! The store on PostgreSQL runs the same files with a backend of its own.
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
