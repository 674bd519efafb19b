//! Events of a device type. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::{MetricDefinition, UnknownMetrics};
use crate::ids::ProtocolConverterId;

use crate::aggregate::domain_event;

/// Events of a device type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeviceTypeEvent {
    /// The type was defined.
    DeviceTypeDefined {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The declared metrics; keys are unique.
        metrics: Vec<MetricDefinition>,
        /// How undeclared metrics are handled.
        unknown_metrics: UnknownMetrics,
    },
    /// Its definition was replaced.
    DeviceTypeRevised {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The declared metrics; keys are unique.
        metrics: Vec<MetricDefinition>,
        /// How undeclared metrics are handled.
        unknown_metrics: UnknownMetrics,
    },
    /// The protocol converter for the payloads of its devices was assigned or removed.
    DeviceTypeConverterAssigned {
        /// The converter; `None` if it was removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        converter_id: Option<ProtocolConverterId>,
    },
    /// It was retired.
    DeviceTypeRetired {},
}

domain_event!(DeviceTypeEvent { DeviceTypeDefined "1.0", DeviceTypeRevised "1.0", DeviceTypeRetired "1.0",
    DeviceTypeConverterAssigned "1.0" });
