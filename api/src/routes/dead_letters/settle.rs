//! Redrives or discards many letters in one request, each independently, with one result per letter.

use std::collections::BTreeSet;

use commands::Receipt;
use domain::dead_letter::{SettledLetter, SettledLetterCommand};
use projections::dead_letters::NAME;
use projections::dead_letters::read::Letter;

use super::view::find;
use crate::auth::Caller;
use crate::prelude::*;

/// The result of one letter.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Outcome {
    id: Uuid,
    /// Whether the letter was settled.
    success: bool,
    /// Why the letter could not be settled.
    problem: Option<Problem>,
}

/// One result per letter, in the order of the request.
#[derive(Object)]
pub struct Outcomes {
    results: Vec<Outcome>,
}

/// Executes a command on each letter, once per distinct id. Returns when the read model has applied the last one.
pub async fn settle(
    state: &State,
    caller: &Caller,
    intent: &Intent,
    ids: Vec<Uuid>,
    command: impl Fn(Letter) -> SettledLetterCommand,
) -> Result<Changed<Outcomes>, Problem> {
    let context = intent.context(caller);
    let (mut results, mut last, mut seen) = (Vec::new(), None::<Receipt>, BTreeSet::new());
    for id in ids.into_iter().filter(|id| seen.insert(*id)) {
        let done = async {
            let letter = find(state, caller, id).await?;
            let step = context.step(&id.to_string());
            Ok::<_, Problem>(state.commands.execute::<SettledLetter>(&step, id, command(letter)).await?)
        };
        results.push(match done.await {
            Ok(receipt) => {
                // A repeated command returns its original, older position, so keep the highest one to wait for.
                last = Some(last.filter(|last| last.position > receipt.position).unwrap_or(receipt));
                Outcome { id, success: true, problem: None }
            }
            Err(problem) => Outcome { id, success: false, problem: Some(problem) },
        });
    }
    if let Some(receipt) = last {
        wait_until_visible(state, NAME, receipt).await;
    }
    Ok(Changed(Outcomes { results }, last))
}
