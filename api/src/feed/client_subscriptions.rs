//! One client's subscriptions, independent of the transport: joining and leaving rooms.

use std::collections::HashMap;

use projections::live_feed::Room;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::forward::{Transport, forward};
use super::join::{join, refusal};
use super::subscribe_request::SubscribeRequest;
use crate::auth::Standing;
use crate::state::State;

/// Most rooms that one client may join.
const MAX_ROOMS: usize = 2000;

/// The rooms of one client; dropping this leaves all of them.
pub struct ClientSubscriptions<O> {
    state: State,
    standing: Standing,
    /// `None` once the client has disconnected.
    transport: Option<O>,
    rooms: HashMap<Room, AbortHandle>,
}

impl<O: Transport> ClientSubscriptions<O> {
    /// Returns the subscriptions of a client that is in no room yet.
    pub fn new(state: State, standing: Standing, transport: O) -> Self {
        Self { state, standing, transport: Some(transport), rooms: HashMap::new() }
    }

    /// Joins a room; joining it again replaces the subscription. Returns the reply and a gate: messages must follow the
    /// reply, so the caller drops the gate once the reply is sent.
    pub async fn subscribe(&mut self, data: &Value) -> (Value, Option<Gate>) {
        self.rooms.retain(|_, task| !task.is_finished());
        let Some(transport) = self.transport.clone() else {
            return (refusal("the connection has ended".to_owned()), None);
        };
        if self.rooms.len() >= MAX_ROOMS {
            return (refusal(format!("at most {MAX_ROOMS} rooms")), None);
        }
        let joined = join(&self.state, &self.standing.caller(), data).await;
        // A snapshot must not get out either.
        if let Err(refused) = self.standing.check().await {
            return (refusal(refused.to_string()), None);
        }
        match joined {
            Err(refused) => (refused, None),
            Ok(joined) => {
                let (gate, open) = tokio::sync::oneshot::channel::<()>();
                let (room, subscription, standing) = (joined.room, joined.subscription, self.standing.clone());
                let task = tokio::spawn(async move {
                    let _opened = open.await;
                    forward(subscription, room, standing, transport).await;
                });
                if let Some(before) = self.rooms.insert(room, task.abort_handle()) {
                    before.abort();
                }
                (joined.answer, Some(Gate { _gate: gate }))
            }
        }
    }

    /// Leaves a room.
    pub fn unsubscribe(&mut self, data: &Value) -> Value {
        match SubscribeRequest::parse(data) {
            Err(error) => refusal(error),
            Ok(request) => {
                let left = self.rooms.remove(&request.room).inspect(AbortHandle::abort).is_some();
                json!({"ok": left, "room": request.room.to_string()})
            }
        }
    }
}

impl<O> ClientSubscriptions<O> {
    /// Leaves all rooms; joining is refused afterwards.
    pub fn end(&mut self) {
        self.transport = None;
        self.rooms.drain().for_each(|(_, task)| task.abort());
    }
}

impl<O> Drop for ClientSubscriptions<O> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Holds back a room's messages until dropped.
pub struct Gate {
    _gate: tokio::sync::oneshot::Sender<()>,
}
