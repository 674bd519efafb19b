//! The asset tree of one organisation: which asset is part of which. One aggregate per organisation (with its id), so
//! that cycles can be detected.

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
