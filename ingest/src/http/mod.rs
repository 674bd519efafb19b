//! The HTTP door: devices and gateways send telemetry over TLS, with a client certificate or a device token. An answer
//! that says taken says that the message is on disk. What does not live here: the pipeline behind it.

mod authenticate;
mod deliver;
mod door;
mod item_owner;
pub mod problem;
pub mod server;
mod telemetry;

pub use door::HttpDoor;
