//! Parses a client's subscribe request: the room, and the position to resume from. `join` decides whether it may.

use projections::live_feed::{Cursor, Room};
use serde_json::Value;
use uuid::Uuid;

/// A room, and the position of the last message that the client has received.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscribeRequest {
    /// The room.
    pub room: Room,
    /// The last position received; `None` for a fresh start.
    pub after: Option<Cursor>,
}

/// The fields that name a room.
const KINDS: [(&str, Kind); 5] = [
    ("organizationId", Room::Organization),
    ("orgId", Room::Organization),
    ("deviceId", Room::Device),
    ("assetId", Room::Asset),
    ("userId", Room::User),
];

type Kind = fn(Uuid) -> Room;

impl SubscribeRequest {
    /// Parses `{organizationId}` or `{orgId}`, `{deviceId}`, `{assetId}` or `{userId}`, with an optional `{after}`.
    pub fn parse(data: &Value) -> Result<Self, String> {
        let id = |name: &str| data.get(name).map(|value| (name.to_owned(), value));
        let named: Vec<_> =
            KINDS.iter().filter_map(|(name, room)| id(name).map(|(name, value)| (name, value, room))).collect();
        let [(name, value, room)] = &named[..] else {
            return Err("name one of organizationId, deviceId, assetId and userId".to_owned());
        };
        let id: Uuid = value.as_str().and_then(|text| text.parse().ok()).ok_or(format!("{name} must be a UUID"))?;
        let after = match data.get("after") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                Some(text.parse().map_err(|_| "after is not a position of this feed".to_owned())?)
            }
            Some(_) => return Err("after is not a position of this feed".to_owned()),
        };
        Ok(Self { room: room(id), after })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_room_can_be_named() {
        let id = Uuid::from_u128(7);
        let room = |data: Value| SubscribeRequest::parse(&data).map(|request| request.room);
        assert_eq!(room(json!({"organizationId": id})), Ok(Room::Organization(id)));
        assert_eq!(room(json!({"orgId": id})), Ok(Room::Organization(id)));
        assert_eq!(room(json!({"deviceId": id})), Ok(Room::Device(id)));
        assert_eq!(room(json!({"assetId": id})), Ok(Room::Asset(id)));
    }

    #[test]
    fn a_position_is_parsed() {
        let data = json!({"deviceId": Uuid::nil(), "after": "1.2.3.4.5.6"});
        assert_eq!(SubscribeRequest::parse(&data).unwrap().after, Some("1.2.3.4.5.6".parse().unwrap()));
        assert_eq!(SubscribeRequest::parse(&json!({"deviceId": Uuid::nil(), "after": null})).unwrap().after, None);
    }

    #[test]
    fn an_invalid_request_is_refused_with_the_reason() {
        let refused = |data: Value| SubscribeRequest::parse(&data).unwrap_err();
        assert_eq!(refused(json!({})), "name one of organizationId, deviceId, assetId and userId");
        assert_eq!(refused(json!("x")), "name one of organizationId, deviceId, assetId and userId");
        let both = json!({"deviceId": Uuid::nil(), "assetId": Uuid::nil()});
        assert_eq!(refused(both), "name one of organizationId, deviceId, assetId and userId");
        assert_eq!(refused(json!({"deviceId": 7})), "deviceId must be a UUID");
        assert_eq!(refused(json!({"deviceId": Uuid::nil(), "after": 7})), "after is not a position of this feed");
        assert_eq!(refused(json!({"deviceId": Uuid::nil(), "after": "x"})), "after is not a position of this feed");
    }
}
