//! The event store conformance suite run on the journal in PostgreSQL: the same files that `eventlog` runs on
//! JetStream, with another backend, plus tests of what only this journal guarantees: the relay, the order of positions,
//! an append-only table.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backend;
#[path = "../../../eventlog/tests/conformance/caching.rs"]
mod caching;
#[path = "../../../eventlog/tests/conformance/counter.rs"]
mod counter;
#[path = "../../../eventlog/tests/conformance/crashes.rs"]
mod crashes;
#[path = "../../../eventlog/tests/conformance/fixture.rs"]
mod fixture;
#[path = "../../../eventlog/tests/conformance/limits.rs"]
mod limits;
#[path = "../../../eventlog/tests/conformance/lost_replies.rs"]
mod lost_replies;
#[path = "../../../eventlog/tests/conformance/proxy.rs"]
mod proxy;
mod relaying;
#[path = "../../../eventlog/tests/conformance/snapshots.rs"]
mod snapshots;
#[path = "../../../eventlog/tests/conformance/stored_messages.rs"]
mod stored_messages;
#[path = "../../../eventlog/tests/conformance/suite.rs"]
mod suite;
mod table;
