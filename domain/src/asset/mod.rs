//! Assets: the business objects that devices monitor.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod location;
pub use aggregate::{Asset, AssetDetails};
pub use command::AssetCommand;
pub use error::Error;
pub use event::AssetEvent;
pub use location::Location;
