//! Seals of the event log. A seal is a short signed statement: the Merkle root over the hash chains of all aggregates up
//! to a log position. Stored outside the installation, it later reveals messages or whole aggregates that were removed or
//! rewritten. Reading the log and checking its hash chains live in `eventlog::audit`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod chain_ends;
mod create;
mod daily;
mod error;
mod files;
mod statement;
mod verify;

pub use create::create;
pub use daily::run_daily;
pub use error::Error;
pub use files::Files;
pub use statement::{Seal, SealSyntaxError};
pub use verify::{deviations, read_verified};

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// The injected wall clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
