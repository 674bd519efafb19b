//! The event store on PostgreSQL: the journal, which stores every aggregate's messages in one table, and the relay,
//! which copies them to JetStream in the same order. `eventlog` defines what a message holds and how aggregates are
//! loaded.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod connections;
mod consistency;
mod error;
mod journal;
mod relay;
mod rows;

pub use error::Error;
pub use journal::PostgresJournal;
pub use relay::Relay;
