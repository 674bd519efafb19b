//! Whole-stack scenarios: the real binary, real servers, stock clients that are not ours. What does not live here: rules
//! that one crate can show alone.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod command_to_view;
mod device_to_screen;
mod fsynced_before_acknowledged;
mod http;
mod least_privilege;
mod nothing_lost_when_killed;
mod platform;
mod replay_equals_live;
mod revoked_is_refused;
mod scene;
mod start_up;
mod stock;
mod until;
