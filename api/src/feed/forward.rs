//! Forwards a room's messages to one client. The hub drops a client that falls behind, so that it slows nobody else,
//! and the client is notified.

use std::future::Future;

use projections::live_feed::{FeedMessage, Room, Subscription};
use serde_json::json;

/// The event that tells a client that the hub has dropped it.
pub const DROPPED: &str = "feed:dropped";

/// The connection to one client.
pub trait Transport: Clone + Send + Sync + 'static {
    /// Sends a message as soon as the client's buffer has room; returns whether the client is still connected.
    fn send(&self, room: Room, message: &FeedMessage) -> impl Future<Output = bool> + Send;

    /// Sends a last event and closes the connection.
    fn close(&self, event: &'static str, data: String) -> impl Future<Output = ()> + Send;
}

/// Forwards messages until the client disconnects or the hub drops it.
pub async fn forward(mut subscription: Subscription, room: Room, transport: impl Transport) {
    loop {
        match subscription.recv().await {
            Ok(message) => {
                if !transport.send(room, &message).await {
                    return;
                }
            }
            Err(closed) => {
                let data = json!({"room": room.to_string(), "reason": closed.to_string()});
                return transport.close(DROPPED, data.to_string()).await;
            }
        }
    }
}
