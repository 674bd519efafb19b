//! Shows a rule.

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
        /// Shows the state at this time, rebuilt from the events recorded at or before it; defaults to the present.
        #[oai(name = "asOf")]
        as_of: AsOf,
    ) -> Result<Fetched<RuleResponse>, Problem> {
        let Some(past) = point_in_time(&state, &caller, &as_of) else {
            return Ok(Fetched(find(&state, &caller, id.0).await?));
        };
        Ok(Fetched(past.rule(id.0).await?.ok_or_else(|| Problem::not_found("rule"))?.into()))
    }
}
