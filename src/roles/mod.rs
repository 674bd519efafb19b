//! One file for each subcommand. What does not live here: the roles themselves, which are crates.

pub mod audit;
pub mod ca;
pub mod doctor;
pub mod healthcheck;
mod local;
pub mod migrate;
pub mod permissions;
pub mod replay;
pub mod settings;
pub mod single;
pub mod up;
