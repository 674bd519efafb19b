//! Entering a room: only one of the caller's own organisation. Answers the subscription and what is known so far.

use projections::live_feed::{Resumed, Room, Subscription};
use projections::{asset_directory, device_directory};
use serde_json::{Value, json};

use super::snapshot;
use super::subscribe_request::SubscribeRequest;
use crate::auth::{Caller, Principal};
use crate::problem::Problem;
use crate::state::State;

/// A place in a room, and the answer to the client.
pub struct Joined {
    /// The room.
    pub room: Room,
    /// What comes.
    pub subscription: Subscription,
    /// The acknowledgement.
    pub answer: Value,
}

/// Enters the room that the client wants; or answers why not.
pub async fn join(state: &State, caller: &Caller, data: &Value) -> Result<Joined, Value> {
    let SubscribeRequest { room, after } = SubscribeRequest::parse(data).map_err(refusal)?;
    let own = is_own(state, caller, room).await.map_err(|problem| refusal(problem.to_string()))?;
    if !own {
        return Err(refusal("there is no such room".to_owned()));
    }
    // First the room, then the snapshot: what happens between them is told twice rather than never.
    let subscription = state.feed.subscribe(room, after);
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

/// Returns the answer to a request that is refused.
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
