//! Shows whether a device is a gateway.

use super::list_tokens::load;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Whether the device is a gateway.
#[derive(Object)]
struct Gateway {
    gateway: bool,
}

#[OpenApi]
impl Api {
    /// Show whether a device is a gateway
    #[oai(path = "/devices/:id/gateway", method = "get", tag = "Tag::Devices", operation_id = "getGateway")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Json<Gateway>, Problem> {
        Ok(Json(Gateway { gateway: load(&state, &caller, id.0).await?.gateway }))
    }
}
