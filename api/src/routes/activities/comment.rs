//! Adds a comment to an activity, open or ended.

use domain::activity::ActivityCommand;

use super::view::{ActivityResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The comment.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CommentActivity {
    #[oai(validator(min_length = 1, max_length = 4000))]
    text: String,
}

#[OpenApi]
impl Api {
    /// Comment on an activity
    #[oai(
        path = "/activities/:id/comments",
        method = "post",
        tag = "Tag::Activities",
        operation_id = "commentActivity"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<CommentActivity>,
    ) -> Result<Revised<ActivityResponse>, Problem> {
        let command = ActivityCommand::CommentActivity { text: body.0.text };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
