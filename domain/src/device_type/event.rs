//! What may have happened to a device type, as facts. Stored for ever: add versions, never change one.

use serde::{Deserialize, Serialize};

use super::{MetricDefinition, UnknownMetrics};
use crate::ids::ProtocolConverterId;

use crate::aggregate::domain_event;

/// Events of a device type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeviceTypeEvent {
    /// The type was added.
    DeviceTypeDefined {
        /// Its name.
        name: String,
        /// Free text for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The metrics it declares, keys unique.
        metrics: Vec<MetricDefinition>,
        /// What happens to metrics it does not declare.
        unknown_metrics: UnknownMetrics,
    },
    /// Its definition was replaced.
    DeviceTypeRevised {
        /// Its name.
        name: String,
        /// Free text for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The metrics it declares, keys unique.
        metrics: Vec<MetricDefinition>,
        /// What happens to metrics it does not declare.
        unknown_metrics: UnknownMetrics,
    },
    /// Payloads of its devices are converted, or no longer.
    DeviceTypeConverterAssigned {
        /// By which converter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        converter_id: Option<ProtocolConverterId>,
    },
    /// It is used no more.
    DeviceTypeRetired {},
}

domain_event!(DeviceTypeEvent { DeviceTypeDefined "1.0", DeviceTypeRevised "1.0", DeviceTypeRetired "1.0",
    DeviceTypeConverterAssigned "1.0" });
