//! The devices' doors and the one pipeline behind them. The edge is an MQTT listener with mutual TLS whose PUBACK means
//! that the message is on disk; the pipeline judges, packs and publishes; presence is told as facts. What is measured
//! is not understood here: readings enter the log byte for byte as devices sent them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod config;
pub mod decide;
mod directory;
mod edge;
mod members;
mod meters;
pub mod metric_names;
mod pipeline;
mod presence;
mod review;
mod run;
mod shards;
mod takeover;

pub use config::{Clock, Config, Deps, EdgePki, Limits, Listen};
pub use run::{Error, run};
