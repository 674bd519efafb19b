//! Read-your-writes: a response waits until the read model has applied the write. If that takes too long, the response
//! says that the change is stored.

use std::future::Future;
use std::time::Duration;

use commands::Receipt;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::State;

/// How long a response waits for a read model.
const WAIT: Duration = Duration::from_secs(5);

/// Waits until a read model has applied a write; returns whether it has. Gives up early if the circuit breaker of the
/// database is open.
pub async fn wait_until_visible(state: &State, projection: &str, receipt: Receipt) -> bool {
    let waiting = state.reader.wait_for(projection, receipt.stream, receipt.position, WAIT);
    matches!(state.breaker.database.answer(waiting).await, Some(Ok(())))
}

/// Returns the resource with this id as the read model shows it after the write. If the read model is late, fails with
/// the problem `stored`, which tells the client not to retry.
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
