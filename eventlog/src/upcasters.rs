//! Upcasters convert stored events of older versions to the current version. The domain supplies them. They see the
//! payload as stored: the event's content without its type.

use std::sync::Arc;

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster, SerializedEvent};
use serde_json::Value;

/// An event type, the semantic version that a conversion leads to, and the conversion of the stored content.
pub type Step<'s> = (&'s str, &'s str, fn(Value) -> Value);

/// Upcasters in order of application; clones share them.
#[derive(Clone, Default)]
pub struct Upcasters(Arc<Vec<Box<dyn EventUpcaster>>>);

impl Upcasters {
    /// Returns upcasters that are applied in this order, older versions first.
    pub fn new(upcasters: Vec<Box<dyn EventUpcaster>>) -> Self {
        Self(Arc::new(upcasters))
    }

    /// Returns the upcasters of these steps, older versions first. Panics when a version is not semantic.
    pub fn of(steps: &[Step<'_>]) -> Self {
        Self::new(
            steps.iter().map(|(event_type, version, convert)| Self::step(event_type, version, *convert)).collect(),
        )
    }

    /// Returns an empty list of upcasters.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns an upcaster that converts payloads of an event type from older versions to `to_version` (semantic, such
    /// as `2.0.0`). Panics when `to_version` is not a semantic version.
    pub fn step(
        event_type: &str,
        to_version: &str,
        change: impl Fn(Value) -> Value + Send + Sync + 'static,
    ) -> Box<dyn EventUpcaster> {
        Box::new(SemanticVersionEventUpcaster::new(event_type, to_version, Box::new(change)))
    }

    /// Returns whether any upcaster applies to this type and version; if not, the caller need not parse the payload.
    pub fn concern(&self, event_type: &str, event_version: &str) -> bool {
        self.0.iter().any(|upcaster| upcaster.can_upcast(event_type, event_version))
    }

    /// Applies every upcaster that concerns the event, in order. `payload` is the event's content.
    pub fn apply(&self, event: SerializedEvent) -> SerializedEvent {
        self.0.iter().fold(event, |event, upcaster| {
            if upcaster.can_upcast(&event.event_type, &event.event_version) { upcaster.upcast(event) } else { event }
        })
    }
}
