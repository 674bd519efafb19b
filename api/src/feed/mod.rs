//! The live feed over its two transports, Socket.IO and plain WebSocket: the same rooms, messages and answers. What does
//! not live here: what is told (`projections::live_feed`).

mod client_subscriptions;
mod forward;
mod join;
mod snapshot;
mod socket_io;
mod subscribe_request;
mod websocket;

pub use socket_io::endpoint as socket_io_endpoint;
pub use websocket::websocket_endpoint;
