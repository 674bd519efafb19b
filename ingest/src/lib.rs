//! The devices' doors and the one pipeline behind them. The edge is an MQTT listener with mutual TLS whose PUBACK means
//! that the message is on disk; the pipeline judges, packs and publishes; presence is told as facts. What is measured
//! is not understood here: readings enter the log byte for byte as devices sent them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod accept;
mod ask;
mod beside;
mod bridge;
mod config;
pub mod decide;
mod directory;
mod edge;
mod emqx;
mod http;
mod members;
mod meters;
pub mod metric_names;
mod mosquitto;
mod pipeline;
mod presence;
mod review;
mod run;
mod shards;
mod shared;
mod takeover;

pub use bridge::{Address as BrokerAddress, AddressError as BrokerAddressError, BridgeConfig};
pub use config::{BrokerApi, Clock, Config, Deps, EdgePki, HookConfig, HttpConfig, HttpLimits, Limits, Listen, Secret};
pub use emqx::answer::Asked as HookRequest;
pub use mosquitto::{DynamicSecurity, NoApi, RevocationFile};
pub use run::{Error, run};
