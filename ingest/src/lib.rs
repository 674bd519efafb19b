//! The ingest role: the doors that devices connect to, and the pipeline behind them. The edge is an MQTT listener with
//! mutual TLS; the HTTP door and the bridge are alternatives. A message is acknowledged once it is on disk. The
//! pipeline checks, packs and publishes messages without interpreting readings, which enter the log byte for byte;
//! connects and disconnects are published as presence facts.
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
