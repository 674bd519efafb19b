//! Read models: one folder each, one registry, one runner. A read model is a pure fold over the log plus a thin writer;
//! its checkpoint moves in the same transaction as its rows. Nothing in this crate decides anything or sends a command.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod activity_board;
pub mod alarm_board;
pub mod asset_directory;
pub mod asset_health;
pub mod audit_log;
mod binary_copy;
pub mod catalogue;
pub mod certificate_register;
pub mod checkpoint;
pub mod dead_letters;
pub mod decoded_event;
pub mod dependents;
pub mod device_directory;
pub mod digest;
mod error;
mod fold;
pub mod installation;
pub mod latest_telemetry;
pub mod live_feed;
mod log_order;
mod migrations;
pub mod notification_outbox;
pub mod origin_marks;
pub mod ownership;
mod paging;
mod privileges;
mod projection;
pub mod rate_limits;
mod reader;
mod reading_values;
mod redis_server;
pub mod registry;
mod role;
pub mod row_batch;
pub mod rule_book;
pub mod runner;
mod sql_values;
pub mod system_events;
pub mod telemetry_history;
pub mod tenant_register;
#[cfg(test)]
mod test_events;
pub mod time_travel;
pub mod type_catalogue;

pub use error::Error;
pub use live_feed::Feed;
pub use paging::{InvalidPageCursor, Page, PageCursor, Paging};
pub use projection::{BatchLimits, Projection, Written};
pub use rate_limits::RateLimits;
pub use reader::{Reader, WaitError};
pub use redis_server::RedisServer;
pub use role::{Config, Deps, migrate, run};
