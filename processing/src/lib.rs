//! The stages of the telemetry path: normalizer, asset_processor, asset_combiner, rule_evaluator, activity_creator, notifier; the
//! watches of certificates and of overdue work, and the log's clock. Events in, events and commands out. What a reading
//! means is decided in the domain; here it is read, handed on and remembered. Projections, doors and HTTP live elsewhere.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod activity_creator;
pub mod asset_combiner;
pub mod asset_processor;
pub mod certificate_watch;
mod error;
pub mod metric_names;
pub mod normalizer;
pub mod notifier;
pub mod overdue_watch;
mod pack_limits;
#[cfg(test)]
mod pipeline_tests;
mod redriver;
#[cfg(test)]
mod reference_tests;
pub mod rule_evaluator;
mod run;
pub mod shared_directory;
pub mod stage;
#[cfg(test)]
mod testing;
mod ticker;

pub use error::Error;
pub use run::{Clock, Config, Deps, StageName, run};
