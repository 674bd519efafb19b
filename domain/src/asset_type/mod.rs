//! A kind of asset: derived metrics and health model.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod health_model;
pub use aggregate::{AssetType, AssetTypeDefinition, MAX_FORMULA_CHARS};
pub use command::AssetTypeCommand;
pub use error::Error;
pub use event::AssetTypeEvent;
pub use health_model::{DerivedMetric, HealthModel, MetricBand};
