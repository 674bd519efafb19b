//! Checks or unchecks an item of the checklist.

use domain::activity::ActivityCommand;

use super::view::{ActivityResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The new state of the item.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CheckItem {
    /// Defaults to true.
    #[oai(nullable)]
    done: Option<bool>,
}

#[OpenApi]
impl Api {
    /// Check or uncheck an item
    #[oai(
        path = "/activities/:id/items/:index",
        method = "post",
        tag = "Tag::Activities",
        operation_id = "checkActivityItem"
    )]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        /// Index of the item, from 0.
        index: Path<u32>,
        body: Body<CheckItem>,
    ) -> Result<Revised<ActivityResponse>, Problem> {
        let index = usize::try_from(index.0).unwrap_or(usize::MAX);
        let command = ActivityCommand::CheckItem { index, done: body.0.done.unwrap_or(true) };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
