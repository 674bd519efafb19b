//! What may be asked of a device type. What does not live here: the decision.

use crate::ids::ProtocolConverterId;

use super::{MetricDefinition, UnknownMetrics};

/// Commands on a device type.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceTypeCommand {
    /// Adds the type.
    DefineDeviceType {
        /// Its name.
        name: String,
        /// Free text for people.
        description: Option<String>,
        /// The metrics it declares, keys unique.
        metrics: Vec<MetricDefinition>,
        /// What happens to metrics it does not declare.
        unknown_metrics: UnknownMetrics,
    },
    /// Replaces its definition.
    ReviseDeviceType {
        /// Its name.
        name: String,
        /// Free text for people.
        description: Option<String>,
        /// The metrics it declares, keys unique.
        metrics: Vec<MetricDefinition>,
        /// What happens to metrics it does not declare.
        unknown_metrics: UnknownMetrics,
    },
    /// Has payloads of its devices converted, or no longer.
    AssignConverter {
        /// By which converter.
        converter_id: Option<ProtocolConverterId>,
    },
    /// Ends its use.
    RetireDeviceType {},
}
