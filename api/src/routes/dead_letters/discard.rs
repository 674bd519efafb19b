//! Discards dead letters.

use domain::dead_letter::SettledLetterCommand;

use super::settle::{Outcomes, settle};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The letters, and why they are discarded.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DiscardDeadLetters {
    /// Ids of 1 to 1,000 letters.
    #[oai(validator(min_items = 1, max_items = 1000))]
    ids: Vec<Uuid>,
    /// Why the letters are discarded.
    #[oai(nullable, validator(min_length = 1, max_length = 1000))]
    comment: Option<String>,
}

#[OpenApi]
impl Api {
    /// Discard dead letters
    ///
    /// They remain in the dead-letter stream until its retention ends, and in the list with the status `discarded`.
    #[oai(
        path = "/dead-letters/discard",
        method = "post",
        tag = "Tag::DeadLetters",
        operation_id = "discardDeadLetters"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::SettleDeadLetters>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<DiscardDeadLetters>,
    ) -> Result<Changed<Outcomes>, Problem> {
        let comment = body.0.comment;
        settle(&state, &caller, &intent, body.0.ids, |_| SettledLetterCommand::DiscardDeadLetter {
            comment: comment.clone(),
        })
        .await
    }
}
