//! The subcommands, one file each. The roles themselves are crates.

pub mod audit;
pub mod ca;
pub mod doctor;
pub mod healthcheck;
mod local_servers;
pub mod migrate;
pub mod permissions;
pub mod replay;
pub mod settings;
pub mod single;
pub mod up;
