//! Joins a client to a room of its own organisation, and replies with a snapshot of what is known so far.

use std::time::Duration;

use eventlog::error_chain;
use projections::live_feed::{Resumed, Room, Subscription};
use projections::{asset_directory, device_directory, latest_telemetry};
use serde_json::{Value, json};
use tracing::warn;

use super::snapshot;
use super::subscribe_request::SubscribeRequest;
use crate::auth::{Caller, Principal};
use crate::problem::Problem;
use crate::state::State;

/// How long joining waits for the latest values to be stored.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// A joined room, and the reply to the client.
pub struct Joined {
    /// The room.
    pub room: Room,
    /// The messages from now on.
    pub subscription: Subscription,
    /// The reply.
    pub answer: Value,
}

/// Joins the room that a client asks for; the error is the reply that says why not.
pub async fn join(state: &State, caller: &Caller, data: &Value) -> Result<Joined, Value> {
    let SubscribeRequest { room, after } = SubscribeRequest::parse(data).map_err(refusal)?;
    let own = is_own(state, caller, room).await.map_err(|problem| refusal(problem.to_string()))?;
    if !own {
        return Err(refusal("there is no such room".to_owned()));
    }
    // Subscribe before taking the snapshot: a change between the two is then sent twice rather than lost.
    let subscription = state.feed.subscribe(room, after);
    wait_for_values(state, room, &subscription).await;
    let snapshot =
        snapshot::of(state, caller.organization.0, room).await.map_err(|problem| refusal(problem.to_string()))?;
    let (resumed, missed) = match subscription.resumed {
        Resumed::Live => ("live", 0),
        Resumed::Replayed(count) => ("replayed", count),
        Resumed::Reload => ("reload", 0),
    };
    let answer = json!({
        "ok": true,
        "room": room.to_string(),
        "position": subscription.position.to_string(),
        "resumed": resumed,
        "missed": missed,
        "snapshot": snapshot,
    });
    Ok(Joined { room, subscription, answer })
}

/// Waits until the snapshot shows every value that the feed read before the subscription and so may not send: otherwise
/// the client would show an older one until the next. Where values are stored too slowly, it joins nevertheless.
async fn wait_for_values(state: &State, room: Room, subscription: &Subscription) {
    if matches!(room, Room::User(_)) {
        return;
    }
    let read = subscription.read_up_to.telemetry();
    match latest_telemetry::read::wait_for(&state.reader, &read, MAX_WAIT).await {
        Ok(true) => {}
        Ok(false) => warn!(%room, "latest values are behind the live feed"),
        // Reading the snapshot fails as well then, and says so.
        Err(error) => warn!(%room, error = error_chain(&error), "cannot tell how far latest values are"),
    }
}

/// Returns the reply to a refused request.
pub fn refusal(error: String) -> Value {
    json!({"ok": false, "error": error})
}

async fn is_own(state: &State, caller: &Caller, room: Room) -> Result<bool, Problem> {
    let organization = caller.organization.0;
    Ok(match room {
        Room::Organization(id) => id == organization,
        Room::Device(id) => device_directory::read::get(&state.reader, organization, id).await?.is_some(),
        Room::Asset(id) => asset_directory::read::get(&state.reader, organization, id).await?.is_some(),
        Room::User(id) => matches!(caller.principal, Principal::User(user) if user.0 == id),
    })
}
