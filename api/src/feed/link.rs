//! One client's subscriptions: entering and leaving rooms, whatever the transport. What does not live here: sockets.

use std::collections::HashMap;

use projections::live_feed::Room;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::entry::{enter, refusal};
use super::pump::{Outlet, pump};
use super::wish::wish;
use crate::auth::Caller;
use crate::state::State;

/// Most rooms that one client may be in.
const MOST_ROOMS: usize = 2000;

/// A client's rooms. Dropped, it leaves all of them.
pub struct Link<O> {
    state: State,
    caller: Caller,
    /// Absent once the client has gone.
    outlet: Option<O>,
    rooms: HashMap<Room, AbortHandle>,
}

impl<O: Outlet> Link<O> {
    /// Returns the link of a client that is in no room yet.
    pub fn new(state: State, caller: Caller, outlet: O) -> Self {
        Self { state, caller, outlet: Some(outlet), rooms: HashMap::new() }
    }

    /// Enters a room; entering it again begins anew. Messages may only follow the answer, so they are let through when
    /// the returned handle is dropped.
    pub async fn subscribe(&mut self, data: &Value) -> (Value, Option<Gate>) {
        self.rooms.retain(|_, task| !task.is_finished());
        let Some(outlet) = self.outlet.clone() else { return (refusal("the connection has ended".to_owned()), None) };
        if self.rooms.len() >= MOST_ROOMS {
            return (refusal(format!("at most {MOST_ROOMS} rooms")), None);
        }
        match enter(&self.state, &self.caller, data).await {
            Err(refused) => (refused, None),
            Ok(entry) => {
                let (gate, open) = tokio::sync::oneshot::channel::<()>();
                let (room, subscription) = (entry.room, entry.subscription);
                let task = tokio::spawn(async move {
                    let _opened = open.await;
                    pump(subscription, room, outlet).await;
                });
                if let Some(before) = self.rooms.insert(room, task.abort_handle()) {
                    before.abort();
                }
                (entry.answer, Some(Gate { _gate: gate }))
            }
        }
    }

    /// Leaves a room.
    pub fn unsubscribe(&mut self, data: &Value) -> Value {
        match wish(data) {
            Err(error) => refusal(error),
            Ok(wish) => {
                let left = self.rooms.remove(&wish.room).inspect(AbortHandle::abort).is_some();
                json!({"ok": left, "room": wish.room.to_string()})
            }
        }
    }
}

impl<O> Link<O> {
    /// Leaves all rooms, for good.
    pub fn end(&mut self) {
        self.outlet = None;
        self.rooms.drain().for_each(|(_, task)| task.abort());
    }
}

impl<O> Drop for Link<O> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Holds a room's messages back until it is dropped.
pub struct Gate {
    _gate: tokio::sync::oneshot::Sender<()>,
}
