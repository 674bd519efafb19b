//! The HTTP door: devices and gateways send telemetry over TLS, with a client certificate or a device token. "Accepted"
//! means that the message is on disk.

mod authenticate;
mod deliver;
mod door;
mod item_owner;
pub mod problem;
pub mod server;
mod telemetry;

pub use door::HttpDoor;
