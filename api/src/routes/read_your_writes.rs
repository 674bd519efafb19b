//! Writers read what they wrote: an answer waits until the read model has seen the write. Where that takes too long, the
//! answer says that the change is stored.

use std::future::Future;
use std::time::Duration;

use commands::Receipt;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::State;

/// How long an answer waits.
const WAIT: Duration = Duration::from_secs(5);

/// Waits until a read model has seen a write, as long as the database answers at all; tells whether it has.
pub async fn wait_until_visible(state: &State, projection: &str, receipt: Receipt) -> bool {
    let waiting = state.reader.wait_for(projection, receipt.stream, receipt.position, WAIT);
    matches!(state.breaker.database.answer(waiting).await, Some(Ok(())))
}

/// Returns what a write left of the thing with this id, read when the read model has seen it; a write that it does not
/// show in time is answered as stored.
pub async fn read_after_write<T>(
    state: &State,
    projection: &str,
    (id, receipt): (Uuid, Receipt),
    read: impl Future<Output = Result<Option<T>, projections::Error>>,
) -> Result<T, Problem> {
    let found = match wait_until_visible(state, projection, receipt).await {
        true => read.await.ok().flatten(),
        false => None,
    };
    found.ok_or_else(|| Problem::stored(id, receipt))
}
