//! The conformance suite of event stores, run over the JetStream store on a real server, and what only that store
//! promises: one message per command, the hash chain, snapshots, the cache, and certainty about lost acknowledgements.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod caching;
mod counter;
mod jetstream;
mod killed;
mod limits;
mod lost;
mod messages;
mod proxy;
mod snapshots;
mod suite;
mod support;
