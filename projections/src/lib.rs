//! Read models: one folder each, one registry, one runner. A read model is a pure fold over the log and a thin writer;
//! its checkpoint moves in the transaction that writes it. What does not live here: deciding anything. Nothing in this
//! crate sends a command.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod activity_board;
pub mod alarm_board;
pub mod asset_directory;
pub mod asset_health;
pub mod audit_log;
pub mod catalogue;
pub mod certificate_register;
pub mod checkpoint;
mod copy;
pub mod dead_letters;
pub mod device_directory;
pub mod digest;
mod error;
pub mod fact;
mod fold;
#[cfg(test)]
mod given;
pub mod installation;
pub mod latest_telemetry;
pub mod live_feed;
pub mod marks;
mod migrations;
pub mod notification_outbox;
pub mod ownership;
mod paging;
pub mod past;
mod privileges;
mod projection;
pub mod rate_limits;
mod reader;
mod redis_server;
pub mod registry;
mod role;
pub mod rule_book;
pub mod runner;
pub mod sheet;
pub mod system_events;
pub mod telemetry_history;
pub mod tenant_register;
pub mod type_catalogue;
pub mod uses;

pub use error::Error;
pub use live_feed::Feed;
pub use paging::{NotAPlace, Page, Paging, Place};
pub use projection::{Pace, Projection};
pub use rate_limits::RateLimits;
pub use reader::{Reader, WaitError};
pub use redis_server::RedisServer;
pub use role::{Config, Deps, migrate, run};
