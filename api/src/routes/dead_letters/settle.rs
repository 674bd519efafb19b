//! Deciding about many letters at once: each by itself, and an answer for each. What does not live here: what is decided.

use std::collections::BTreeSet;

use commands::Receipt;
use domain::dead_letter::{SettledLetter, SettledLetterCommand};
use projections::dead_letters::NAME;
use projections::dead_letters::read::Letter;

use super::view::find;
use crate::auth::Caller;
use crate::prelude::*;

/// What became of one.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Outcome {
    id: Uuid,
    /// Whether it is done.
    success: bool,
    /// Why not.
    problem: Option<Problem>,
}

/// What became of each, in the order of the request.
#[derive(Object)]
pub struct Outcomes {
    results: Vec<Outcome>,
}

/// Gives each letter a command; a letter named twice is asked for once. Answers when the read model has seen the last.
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
