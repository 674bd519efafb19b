//! HTTP API, OpenAPI document, live feed and the built-in page. Writes go through `commands`, reads through
//! `projections`; nothing is decided here but who may ask. What does not live here: rules of the domain, storage.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(clippy::result_large_err, reason = "refusals are rare and end at once; boxing each buys nothing")]

pub mod access;
mod announcement;
mod answer;
mod auth;
mod body;
mod breaker;
mod enroll_door;
mod error;
mod feed;
mod guard;
mod intent;
mod limits;
mod mail;
mod min_position;
pub mod notifying;
mod page;
mod prelude;
pub mod probes;
mod problem;
mod refusals;
mod renewal;
mod routes;
mod schema;
mod server;
mod state;
mod time;
mod version;
mod words;

pub use enroll_door::EnrollConfig;
pub use error::Error;
pub use limits::Limits;
pub use mail::{Error as MailError, MailConfig, MailSecurity, Mailer};
pub use problem::{FieldError, Kind, Problem};
pub use routes::openapi;
pub use server::{Config, Http, Listen, run};
pub use state::{Deps, Doors};
