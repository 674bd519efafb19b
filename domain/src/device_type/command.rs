//! Commands of a device type; `aggregate` decides on them.

use crate::ids::ProtocolConverterId;

use super::{MetricDefinition, UnknownMetrics};

/// Commands on a device type.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceTypeCommand {
    /// Defines the type.
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
    /// Assigns the protocol converter for the payloads of its devices, or removes it.
    AssignConverter {
        /// The converter; `None` to remove it.
        converter_id: Option<ProtocolConverterId>,
    },
    /// Retires it; references to it stay valid.
    RetireDeviceType {},
}
