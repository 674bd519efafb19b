//! Lists the HTTP tokens of a device.

use domain::device::{Device, DeviceToken};

use crate::auth::Caller;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// An HTTP token. Only the device has its secret.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Token {
    id: Uuid,
    label: Option<String>,
    /// `valid`, `expired` or `revoked`.
    status: String,
    expires_at: Time,
    revoked_reason: Option<String>,
}

page! {
    /// One page of the tokens, in order of issue.
    Tokens { tokens: Token }
}

impl Token {
    fn at(token: DeviceToken, now: DateTime<Utc>) -> Self {
        let status = match (&token.revoked, token.is_valid_at(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "valid",
            (None, false) => "expired",
        };
        Self {
            id: token.token_id.0,
            label: token.label,
            status: status.to_owned(),
            expires_at: token.expires_at.into(),
            revoked_reason: token.revoked,
        }
    }
}

#[OpenApi]
impl Api {
    /// List the tokens of a device
    #[oai(path = "/devices/:id/tokens", method = "get", tag = "Tag::Devices", operation_id = "listDeviceTokens")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Tokens>, Problem> {
        let paging = InMemoryPaging::new(limit, offset, &cursor)?;
        let (device, now) = (load(&state, &caller, id.0).await?, state.now());
        let page = paging.page(device.tokens, |token| token.token_id.0)?;
        Ok(Json(Tokens::new(page.map(|token| Token::at(token, now)))))
    }
}

/// Loads a device of the caller's organisation from the log: tokens and the gateway role are read too rarely to need a
/// read model.
pub(super) async fn load(state: &State, caller: &Caller, id: Uuid) -> Result<Device, Problem> {
    let loaded = state.commands.load::<Device>(caller.organization, id).await.map_err(never_refused)?;
    loaded.map(|(device, _)| device).ok_or_else(|| Problem::not_found("device"))
}
