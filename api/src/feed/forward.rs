//! From a room to one client. A client that does not take its messages slows nobody: the hub drops it, and it is told.

use std::future::Future;

use projections::live_feed::{FeedMessage, Room, Subscription};
use serde_json::json;

/// The event that tells a client that it is not fed any more.
pub const DROPPED: &str = "feed:dropped";

/// A way to one client.
pub trait Transport: Clone + Send + Sync + 'static {
    /// Gives it a message, as soon as there is room; answers whether it is still there.
    fn send(&self, room: Room, message: &FeedMessage) -> impl Future<Output = bool> + Send;

    /// Tells it that it is not fed any more, and closes it.
    fn close(&self, event: &'static str, data: String) -> impl Future<Output = ()> + Send;
}

/// Gives a room's messages to a client until one of them ends.
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
