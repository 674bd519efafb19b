//! Shows one rule.

use super::view::{RuleResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a threshold rule
    #[oai(path = "/rules/:id", method = "get", tag = "Tag::Rules", operation_id = "getRule")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Seen<RuleResponse>, Problem> {
        Ok(Seen(find(&state, &caller, id.0).await?))
    }
}
