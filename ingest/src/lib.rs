//! The devices' doors and the one pipeline behind them. The edge is an MQTT listener with mutual TLS whose PUBACK means
//! that the message is on disk; the pipeline judges, packs and publishes; presence is told as facts. What is measured
//! is not understood here: readings enter the log byte for byte as devices sent them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod backoff;
mod bridge;
mod config;
pub mod decide;
mod directory;
mod edge;
mod emqx;
mod error;
mod http;
mod http_request;
mod members;
mod meters;
pub mod metric_names;
mod mosquitto;
mod optional_doors;
mod pipeline;
mod presence;
mod run;
mod session_review;
mod shards;
mod shared;
mod takeover;
mod tcp_accept;

pub use config::{
    BridgeConfig, BrokerAddress, BrokerAddressError, BrokerApi, Clock, Config, Deps, DynamicSecurity, EdgePki,
    HookConfig, HttpConfig, HttpLimits, InvalidApiUrl, Limits, Listen, RevocationFile, Secret,
};
pub use emqx::hook_messages::HookRequest;
pub use error::Error;
pub use run::run;
