//! Pure business rules: aggregates with their commands and events, telemetry values, alarming, and the directory folded
//! from events. No I/O, no clock, no randomness.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod activity;
pub mod activity_template;
mod aggregate;
pub mod alarm;
pub mod alarming;
pub mod api_key;
pub mod asset;
pub mod asset_tree;
pub mod asset_type;
pub mod catalogue;
pub mod certificate;
pub mod checks;
pub mod dead_letter;
pub mod device;
pub mod device_links;
pub mod device_type;
pub mod directory;
mod event;
pub mod formula;
pub mod ids;
pub mod metadata;
mod named;
pub mod notification;
pub mod organization;
pub mod rule;
mod sealed;
pub mod shelving;
#[cfg(test)]
mod specification;
pub mod telemetry;
pub mod unique_key;
pub mod user;

pub use aggregate::Decide;
pub use event::{AnyEvent, NotAnEvent};
pub use named::UnknownWord;
pub use sealed::Sealed;
