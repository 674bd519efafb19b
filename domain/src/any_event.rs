//! One type over the stored events of all aggregates, for folds that read several kinds of them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    activity::ActivityEvent,
    activity_template::ActivityTemplateEvent,
    alarm::AlarmEvent,
    api_key::ApiKeyEvent,
    asset::AssetEvent,
    asset_tree::AssetTreeEvent,
    asset_type::AssetTypeEvent,
    catalogue::{ActivityTypeEvent, AssetProfileEvent, NotificationChannelEvent, ProtocolConverterEvent},
    certificate::CertificateEvent,
    dead_letter::SettledLetterEvent,
    device::DeviceEvent,
    device_links::DeviceLinksEvent,
    device_type::DeviceTypeEvent,
    notification::NotificationEvent,
    organization::OrganizationEvent,
    rule::RuleEvent,
    shelving::ShelvingEvent,
    unique_key::UniqueKeyEvent,
    user::UserEvent,
};

macro_rules! any_event {
    ($($kind:literal $variant:ident($event:ty)),* $(,)?) => {
        /// An event of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum AnyEvent { $($variant($event)),* }

        impl AnyEvent {
            /// Decodes an event from its aggregate's type name, its own type name and its stored content.
            pub fn decode(aggregate_type: &str, event_type: &str, payload: Value) -> Result<Self, NotAnEvent> {
                match aggregate_type {
                    $($kind => tagged(event_type, payload).map(Self::$variant),)*
                    _ => Err(NotAnEvent { event_type: event_type.to_owned(), reason: format!("unknown aggregate type {aggregate_type}") }),
                }
            }

            /// Returns the aggregate's type name, the event's type name and its content, as they are stored.
            pub fn stored(&self) -> Result<(&'static str, String, Value), serde_json::Error> {
                match self {
                    $(Self::$variant(event) => {
                        let content = untagged(serde_json::to_value(event)?);
                        Ok(($kind, cqrs_es::DomainEvent::event_type(event), content))
                    })*
                }
            }

            /// All aggregate type names with their event types and current versions.
            pub const CATALOGUE: &'static [(&'static str, &'static [(&'static str, &'static str)])] =
                &[$(($kind, <$event>::TYPES)),*];
        }
    };
}

any_event! {
    "organization" Organization(OrganizationEvent),
    "user" User(UserEvent),
    "api_key" ApiKey(ApiKeyEvent),
    "unique_key" UniqueKey(UniqueKeyEvent),
    "device_type" DeviceType(DeviceTypeEvent),
    "device" Device(DeviceEvent),
    "certificate" Certificate(CertificateEvent),
    "asset_type" AssetType(AssetTypeEvent),
    "asset_profile" AssetProfile(AssetProfileEvent),
    "asset" Asset(AssetEvent),
    "asset_tree" AssetTree(AssetTreeEvent),
    "device_links" DeviceLinks(DeviceLinksEvent),
    "rule" Rule(RuleEvent),
    "activity_type" ActivityType(ActivityTypeEvent),
    "protocol_converter" ProtocolConverter(ProtocolConverterEvent),
    "notification_channel" NotificationChannel(NotificationChannelEvent),
    "activity_template" ActivityTemplate(ActivityTemplateEvent),
    "activity" Activity(ActivityEvent),
    "alarm" Alarm(AlarmEvent),
    "shelving" Shelving(ShelvingEvent),
    "notification" Notification(NotificationEvent),
    "dead_letter" DeadLetter(SettledLetterEvent),
}

/// The stored content is not a valid event of the named type.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode {event_type}: {reason}")]
pub struct NotAnEvent {
    /// The event type that was expected.
    pub event_type: String,
    /// Why decoding failed.
    pub reason: String,
}

fn tagged<E: DeserializeOwned>(event_type: &str, payload: Value) -> Result<E, NotAnEvent> {
    // Event enums are externally tagged in serde, while the store keeps the type name apart from the content.
    let tagged = Value::Object(Map::from_iter([(event_type.to_owned(), payload)]));
    serde_json::from_value(tagged)
        .map_err(|error| NotAnEvent { event_type: event_type.to_owned(), reason: error.to_string() })
}

/// Extracts the content from an externally tagged variant.
fn untagged(tagged: Value) -> Value {
    match tagged {
        Value::Object(map) => map.into_iter().next().map_or(Value::Null, |(_, content)| content),
        _ => Value::Null,
    }
}
