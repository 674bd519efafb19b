//! HTTP API, OpenAPI document, live feed, built-in page, and the background jobs that need decrypted addresses or the
//! keys of certificate authorities. Writes go through `commands`, reads through `projections`; the only decision made
//! here is who may do what.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(clippy::result_large_err, reason = "errors end a request and are rare; boxing each would gain nothing")]

pub mod access;
mod auth;
mod body;
mod circuit_breaker;
mod config;
mod deps;
mod enroll_listener;
mod enums;
mod error;
mod error_mapping;
mod etag;
mod exact_json;
mod feed;
mod header_parameter;
mod intent;
mod jobs;
mod min_position;
mod outer_middleware;
mod page;
mod prelude;
mod problem;
mod rate_limits;
mod responses;
mod routes;
mod schema_check;
mod server;
mod state;
mod time;
mod uri_check;

pub use config::{Config, DeviceUrls, EnrollConfig, Http, Limits};
pub use deps::Deps;
pub use error::Error;
pub use jobs::{EgressGuard, MailConfig, MailError, MailSecurity, Mailer, NotANetwork, WebhookSender};
pub use problem::{FieldError, Kind, Problem};
pub use routes::openapi;
pub use server::run;
pub use serving::Listen;
