//! HTTP plumbing that all roles share: binding a listener, health probes, and HTTP over TLS. Endpoints live in `api`
//! and `ingest`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod error;
mod listen;
pub mod probes;
pub mod tls;

pub use error::Error;
pub use listen::{Listen, bind};
