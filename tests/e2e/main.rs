//! Whole-stack scenarios: the real binary, real servers, stock clients that are not ours. What does not live here: rules
//! that one crate can show alone.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod alarming;
mod audit_trail;
mod behind_a_broker;
mod combining;
mod command_to_view;
mod crew;
mod device_to_screen;
mod events_in_postgres;
mod frozen_servers;
mod fsynced_before_acknowledged;
mod fuzzed_api;
mod generated_client;
mod http;
mod http_ingest;
mod least_privilege;
mod load;
mod master_key;
mod nothing_lost_when_killed;
mod notifying;
mod onboarding;
mod owners_come_and_go;
mod platform;
mod replay_equals_live;
mod revoked_is_refused;
mod scene;
mod several_doors_and_apis;
mod start_up;
mod stock;
mod stops_under_load;
mod tls_to_servers;
mod until;
#[path = "../../api/tests/api/support/webhook_receiver.rs"]
mod webhook_receiver;
