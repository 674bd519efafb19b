//! Asset types: which metrics are computed for assets of a type, and how their health is scored.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod combination;
mod computation;
mod health_model;
pub use aggregate::{AssetType, AssetTypeDefinition};
pub use combination::{Aggregation, Combination, CompositeMetric, MAX_COMPUTED};
pub use command::AssetTypeCommand;
pub use computation::{Computation, Part, aggregate};
pub use error::Error;
pub use event::AssetTypeEvent;
pub use health_model::{ChildrenFold, ChildrenHealth, DerivedMetric, HealthModel, MetricBand};
