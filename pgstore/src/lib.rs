//! The event store on PostgreSQL: the journal that keeps every aggregate's messages in one table, and the relay that puts
//! them into JetStream in the same order. What a message holds, and how aggregates are loaded, is `eventlog`'s.
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
