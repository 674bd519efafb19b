//! End-to-end tests: the real binary, real servers and third-party clients. Rules that a single crate can verify are
//! tested in that crate.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod alarms;
mod api_client;
mod audit_seals;
mod clients;
mod command_to_view;
mod derived_metrics;
mod device_to_screen;
mod events_in_postgres;
mod fixtures;
mod fleet;
mod frozen_servers;
mod fsynced_before_acknowledged;
mod fuzzed_api;
mod generated_client;
mod graceful_shutdown;
mod http_ingest;
mod least_privilege;
mod load;
mod master_key;
mod mosquitto_bridge;
mod nothing_lost_when_killed;
mod notifications;
mod onboarding;
mod platform;
mod processes_join_and_leave;
mod reference;
mod refusals;
mod replay_equals_live;
mod several_edges_and_apis;
mod startup_errors;
mod tls_to_servers;
mod wait;
#[path = "../../api/tests/api/support/webhook_receiver.rs"]
mod webhook_receiver;
