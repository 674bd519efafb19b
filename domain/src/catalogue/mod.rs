//! The catalogue: activity types, asset profiles, protocol converters and notification channels. All kinds share one
//! life cycle (`entry`); each module supplies only its definition.

pub mod activity_type;
pub mod asset_profile;
mod entry;
pub mod notification_channel;
pub mod protocol_converter;
#[cfg(test)]
mod tests;

pub use activity_type::{ActivityType, ActivityTypeEvent};
pub use asset_profile::{AssetProfile, AssetProfileEvent};
pub(crate) use entry::entry;
pub use entry::{Definition, Entry, EntryCommand, EntryError, EntryEvent};
pub use notification_channel::{NotificationChannel, NotificationChannelEvent};
pub use protocol_converter::{ProtocolConverter, ProtocolConverterEvent};
