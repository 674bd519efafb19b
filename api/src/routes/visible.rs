//! Writers read what they wrote: an answer waits until the read model has seen the write.

use std::time::Duration;

use commands::Receipt;

use crate::problem::{Kind, Problem};
use crate::state::State;

/// How long an answer waits.
const WAIT: Duration = Duration::from_secs(5);

/// Waits until a read model has seen a write, as long as the database answers at all.
pub async fn visible(state: &State, projection: &str, receipt: Receipt) -> Result<(), Problem> {
    let waiting = state.reader.wait_for(projection, receipt.stream, receipt.position, WAIT);
    let unseen = || Problem::of(Kind::NotYetVisible, "the change is stored; the read models do not answer");
    Ok(state.breaker.database.answer(waiting).await.ok_or_else(unseen)??)
}

/// Returns what must be there once the write is visible.
pub fn there<T>(found: Option<T>) -> Result<T, Problem> {
    found.ok_or_else(|| Problem::of(Kind::NotYetVisible, "the change is stored; read it in a moment"))
}
