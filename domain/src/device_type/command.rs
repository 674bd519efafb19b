//! Commands of a device type; `aggregate` decides on them.

use crate::ids::ProtocolConverterId;

use super::{MetricDefinition, UnknownMetrics};

/// Commands on a device type.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceTypeCommand {
    /// Adds the type.
    DefineDeviceType {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// The declared metrics; keys are unique.
        metrics: Vec<MetricDefinition>,
        /// How undeclared metrics are handled.
        unknown_metrics: UnknownMetrics,
    },
    /// Replaces its definition.
    ReviseDeviceType {
        /// Its name.
        name: String,
        /// Free-text description.
        description: Option<String>,
        /// The declared metrics; keys are unique.
        metrics: Vec<MetricDefinition>,
        /// How undeclared metrics are handled.
        unknown_metrics: UnknownMetrics,
    },
    /// Has payloads of its devices converted, or no longer.
    AssignConverter {
        /// The converter.
        converter_id: Option<ProtocolConverterId>,
    },
    /// Retires it; references to it stay valid.
    RetireDeviceType {},
}
