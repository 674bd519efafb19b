//! The processing role: stages that turn events into events and commands. `normalizer`, `asset_processor`,
//! `asset_combiner`, `rule_evaluator`, `activity_creator` and `notifier` form the telemetry path; `redriver` returns
//! dead letters to it. Beside them run the certificate watch, the overdue watch and the log's clock (`ticker`). The
//! decisions themselves are pure functions of `domain`; this crate reads input, keeps state and delivers output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod activity_creator;
pub mod asset_combiner;
pub mod asset_processor;
pub mod certificate_watch;
mod clock;
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
mod threshold_event_stage;
mod ticker;

pub use clock::Clock;
pub use error::Error;
pub use run::{Config, Deps, StageName, run};
