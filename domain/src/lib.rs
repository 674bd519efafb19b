//! Pure business rules: aggregates with their commands and events, telemetry values, alarm evaluation, and the
//! directory folded from events. No I/O, no clock, no randomness.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod activity;
pub mod activity_template;
mod aggregate;
pub mod alarm;
pub mod alarming;
mod any_event;
pub mod api_key;
pub mod asset;
pub mod asset_tree;
pub mod asset_type;
pub mod catalogue;
pub mod certificate;
mod conversions;
pub mod dead_letter;
pub mod device;
pub mod device_links;
pub mod device_type;
pub mod directory;
mod encrypted_text;
mod exact_number;
pub mod finite_sum;
pub mod formula;
#[cfg(test)]
mod given_when_then;
pub mod ids;
pub mod metadata;
pub mod notification;
pub mod organization;
pub mod rule;
pub mod shelving;
pub mod telemetry;
pub mod unique_key;
pub mod user;
pub mod validation;
mod word_enum;

pub use aggregate::Decide;
pub use any_event::{AnyEvent, NotAnEvent};
pub use conversions::{CONVERSIONS, Conversion};
pub use encrypted_text::EncryptedText;
pub use exact_number::exact_number;
pub use word_enum::UnknownWord;
