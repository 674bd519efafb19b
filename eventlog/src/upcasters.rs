//! The upcasters that bring stored events of older versions to the present one. Which there are is the domain's
//! business; they see the payload as it is stored: the content of the event, without its type around it.

use std::sync::Arc;

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster, SerializedEvent};
use serde_json::Value;

/// Upcasters in the order in which they are applied; clones share them.
#[derive(Clone, Default)]
pub struct Upcasters(Arc<Vec<Box<dyn EventUpcaster>>>);

impl Upcasters {
    /// Returns upcasters that are applied in this order, older versions first.
    pub fn new(upcasters: Vec<Box<dyn EventUpcaster>>) -> Self {
        Self(Arc::new(upcasters))
    }

    /// Returns no upcasters.
    pub fn none() -> Self {
        Self::default()
    }

    /// Makes an upcaster that brings payloads of an event type to `to_version` (semantic, such as `2.0.0`) when they
    /// are of an older one. Panics when `to_version` is not a semantic version.
    pub fn step(
        event_type: &str,
        to_version: &str,
        change: impl Fn(Value) -> Value + Send + Sync + 'static,
    ) -> Box<dyn EventUpcaster> {
        Box::new(SemanticVersionEventUpcaster::new(event_type, to_version, Box::new(change)))
    }

    /// Tells whether any upcaster applies to this type and version, so that others need not be parsed.
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
