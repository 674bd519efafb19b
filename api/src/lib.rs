//! HTTP API, OpenAPI document, live feed and the built-in page. Writes go through `commands`, reads through
//! `projections`; nothing is decided here but who may ask. What does not live here: rules of the domain, storage.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(clippy::result_large_err, reason = "refusals are rare and end at once; boxing each buys nothing")]

pub mod access;
mod announcement;
mod auth;
mod body;
mod circuit_breaker;
mod enroll_listener;
mod enums;
mod error;
mod error_mapping;
mod etag;
mod feed;
mod intent;
mod mail;
mod min_position;
pub mod notifying;
mod outer_middleware;
mod page;
mod prelude;
pub mod probes;
mod problem;
mod rate_limits;
mod renewal;
mod responses;
mod routes;
mod schema_check;
mod server;
mod state;
mod time;

pub use enroll_listener::EnrollConfig;
pub use error::Error;
pub use mail::{Error as MailError, MailConfig, MailSecurity, Mailer};
pub use problem::{FieldError, Kind, Problem};
pub use rate_limits::Limits;
pub use routes::openapi;
pub use server::{Config, Http, Listen, run};
pub use state::{Deps, DeviceUrls};
