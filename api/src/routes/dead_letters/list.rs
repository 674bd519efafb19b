//! Lists dead letters.

use poem_openapi::Enum;
use projections::dead_letters::read::{self, LetterFilter};

use super::view::{DeadLetter, sees_unassigned};
use crate::prelude::*;
use crate::routes::time_window::bound;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The status of a dead letter.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum Status {
    Open,
    Redriven,
    Discarded,
}

page! {
    /// One page of the list.
    DeadLetters { dead_letters: DeadLetter }
}

#[OpenApi]
impl Api {
    /// List dead letters
    ///
    /// Messages that an ingest listener or a processing stage rejected, newest first. `total` is capped at 10,001.
    #[oai(path = "/dead-letters", method = "get", tag = "Tag::DeadLetters", operation_id = "listDeadLetters")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        stage: Query<Option<String>>,
        reason: Query<Option<String>>,
        #[oai(name = "deviceId")] device: Query<Option<Uuid>>,
        status: Query<Option<Status>>,
        /// Received at or after this time.
        from: Query<Option<Time>>,
        /// Received before this time.
        to: Query<Option<Time>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<DeadLetters>, Problem> {
        let filter = LetterFilter {
            stage: stage.0,
            reason: reason.0,
            device: device.0,
            status: status.0.as_ref().map(|status| word(status).to_owned()),
            from: from.0.map(bound),
            until: to.0.map(bound),
        };
        let paging = paging(limit, offset, &cursor)?;
        let page = read::list(&state.reader, caller.organization.0, sees_unassigned(&caller), &filter, paging).await?;
        Ok(Json(DeadLetters::new(page)))
    }
}

fn word(status: &Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Redriven => "redriven",
        Status::Discarded => "discarded",
    }
}
