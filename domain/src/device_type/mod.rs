//! Device types and the metrics that they declare.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod metric;
pub use aggregate::{DeviceType, DeviceTypeDefinition};
pub use command::DeviceTypeCommand;
pub use error::Error;
pub use event::DeviceTypeEvent;
pub use metric::{MetricDefinition, UnknownMetrics, ValueKind};
