//! Redrives dead letters: feeds the rejected messages into the pipeline again.

use domain::dead_letter::SettledLetterCommand;
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::DeadLetter;
use projections::dead_letters::read::Letter;

use super::settle::{Outcomes, settle};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The letters to redrive.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RedriveDeadLetters {
    /// Ids of 1 to 1,000 letters.
    #[oai(validator(min_items = 1, max_items = 1000))]
    ids: Vec<Uuid>,
}

#[OpenApi]
impl Api {
    /// Redrive dead letters
    ///
    /// Each message passes through the processing stages again, unchanged. Messages that belong to no known device or
    /// whose payload was truncated are refused. A message that is rejected again becomes a new letter.
    #[oai(
        path = "/dead-letters/redrive",
        method = "post",
        tag = "Tag::DeadLetters",
        operation_id = "redriveDeadLetters"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::SettleDeadLetters>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<RedriveDeadLetters>,
    ) -> Result<Changed<Outcomes>, Problem> {
        settle(&state, &caller, &intent, body.0.ids, |letter| SettledLetterCommand::RedriveDeadLetter {
            letter: Box::new(dead_letter_of(letter)),
        })
        .await
    }
}

fn dead_letter_of(letter: Letter) -> DeadLetter {
    let row = letter.row;
    DeadLetter {
        stage: row.stage,
        reason: row.reason,
        detail: row.detail,
        subject: row.subject,
        organization: row.organization_id.map(OrganizationId),
        device: row.device_id.map(DeviceId),
        received_at: row.received_at,
        payload: row.payload,
    }
}
