//! Forwards a room's messages to one client. The hub drops a client that falls behind, so that it slows nobody else,
//! and the client is notified.

use std::future::Future;

use projections::live_feed::{FeedMessage, Room, Subscription};
use serde_json::json;

use crate::auth::Standing;

/// The event that tells a client that the hub has dropped it.
pub const DROPPED: &str = "feed:dropped";

/// The last event of a connection that the server closes: a code, and the reason for people.
pub const ENDED: &str = "feed:ended";

/// The connection to one client.
pub trait Transport: Clone + Send + Sync + 'static {
    /// Sends a message as soon as the client's buffer has room; returns whether the client is still connected.
    fn send(&self, room: Room, message: &FeedMessage) -> impl Future<Output = bool> + Send;

    /// Sends a last event and closes the connection.
    fn close(&self, event: &'static str, data: String) -> impl Future<Output = ()> + Send;
}

/// Forwards messages until the client disconnects, loses its access, or the hub drops it.
pub async fn forward(mut subscription: Subscription, room: Room, mut standing: Standing, transport: impl Transport) {
    loop {
        match subscription.recv().await {
            Ok(message) => {
                // The connection is closed by whoever opened it; until then nothing more may get out.
                if standing.check().await.is_err() || !transport.send(room, &message).await {
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

/// Returns the data of the last event.
pub fn ended(code: &str, reason: impl std::fmt::Display) -> String {
    json!({"code": code, "reason": reason.to_string()}).to_string()
}
