//! What may be asked of a device type. What does not live here: the decision.

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
    /// Ends its use.
    RetireDeviceType {},
}
