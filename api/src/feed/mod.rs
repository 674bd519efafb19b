//! The live feed over two transports, Socket.IO and plain WebSocket, with the same rooms, messages and replies. The
//! messages themselves come from `projections::live_feed`.

mod client_subscriptions;
mod forward;
mod join;
mod snapshot;
mod socket_io;
mod subscribe_request;
mod websocket;

pub use socket_io::endpoint as socket_io_endpoint;
pub use websocket::websocket_endpoint;
