//! Telemetry values and the packs they travel in. What does not live here: transport, storage, the stages' loops.

mod activity_notice;
mod asset;
mod dead_letter;
pub mod health;
mod interner;
mod origin;
mod pack;
pub mod payload;
mod presence;
mod raw;
mod reading;
mod threshold;
mod tick;
mod value;

pub use activity_notice::ActivityNotice;
pub use asset::{AssetHealthChanged, AssetPack, AssetReading, COMPUTED_SOURCE, ChildValues, ScoredBy};
pub use dead_letter::DeadLetter;
pub use interner::SetInterner;
pub use origin::Origin;
pub use pack::{MetricSets, NotAPack, decode_pack, encode_pack, newer_version};
pub use presence::{PresenceFact, PresenceKind};
pub use raw::{IngestionSource, RawPack, RawReading};
pub use reading::{NormalizedPack, Reading};
pub use threshold::{ThresholdEvent, Transition};
pub use tick::{CLOCK_SOURCE, ClockTick};
pub use value::{MetricValue, Quality};
