//! The live feed over its two transports, Socket.IO and plain WebSocket: the same rooms, messages and answers. What does
//! not live here: what is told (`projections::live_feed`).

mod entry;
mod link;
mod plain;
mod pump;
mod snapshot;
mod socket_io;
mod wish;

pub use plain::websocket;
pub use socket_io::endpoint as socketio;
