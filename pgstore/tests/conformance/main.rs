//! The conformance suite of event stores over the store on PostgreSQL: the very files that `eventlog` runs over JetStream,
//! with another backend; and what only this store promises: the relay, the order of positions, tables that only grow.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backend;
#[path = "../../../eventlog/tests/conformance/caching.rs"]
mod caching;
#[path = "../../../eventlog/tests/conformance/counter.rs"]
mod counter;
#[path = "../../../eventlog/tests/conformance/fixture.rs"]
mod fixture;
#[path = "../../../eventlog/tests/conformance/killed.rs"]
mod killed;
#[path = "../../../eventlog/tests/conformance/limits.rs"]
mod limits;
#[path = "../../../eventlog/tests/conformance/lost.rs"]
mod lost;
#[path = "../../../eventlog/tests/conformance/messages.rs"]
mod messages;
#[path = "../../../eventlog/tests/conformance/proxy.rs"]
mod proxy;
mod relaying;
#[path = "../../../eventlog/tests/conformance/snapshots.rs"]
mod snapshots;
#[path = "../../../eventlog/tests/conformance/suite.rs"]
mod suite;
mod table;
