//! Telemetry values and the packs in which they travel through the streams. Transport lives in `eventlog`, the stages
//! in `processing`.

mod activity_notice;
mod asset_reading;
mod clock_tick;
mod dead_letter;
pub(crate) mod exact;
pub mod health;
mod metric_value;
mod origin;
mod pack;
pub mod payload;
mod presence;
mod raw_reading;
mod reading;
mod set_interner;
mod threshold_event;

pub use activity_notice::ActivityNotice;
pub use asset_reading::{AssetHealthChanged, AssetPack, AssetReading, COMPUTED_SOURCE, ChildValues, ScoredBy};
pub use clock_tick::{CLOCK_SOURCE, ClockTick};
pub use dead_letter::DeadLetter;
pub use metric_value::{MetricValue, Quality};
pub use origin::Origin;
pub use pack::{MetricSets, NotAPack, decode_pack, encode_pack, newer_version};
pub use presence::{PresenceFact, PresenceKind};
pub use raw_reading::{IngestionSource, RawPack, RawReading};
pub use reading::{NormalizedPack, Reading};
pub use set_interner::SetInterner;
pub use threshold_event::{ThresholdEvent, Transition};
