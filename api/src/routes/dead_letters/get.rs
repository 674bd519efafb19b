//! Shows a dead letter.

use super::view::{DeadLetter, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// One dead letter.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct DeadLetterResponse {
    dead_letter: DeadLetter,
}

#[OpenApi]
impl Api {
    /// Show a dead letter
    #[oai(path = "/dead-letters/:id", method = "get", tag = "Tag::DeadLetters", operation_id = "getDeadLetter")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Json<DeadLetterResponse>, Problem> {
        Ok(Json(DeadLetterResponse { dead_letter: find(&state, &caller, id.0).await?.into() }))
    }
}
