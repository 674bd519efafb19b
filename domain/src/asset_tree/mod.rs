//! Which asset is part of which, for one organisation, so that a cycle is seen. Its id is the organisation's.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::AssetTree;
pub use command::AssetTreeCommand;
pub use error::Error;
pub use event::AssetTreeEvent;
