//! Nothing that is in use is retired. The read models say who uses it: a user that comes in the same instant may slip
//! through, and goes on with what was retired.

use projections::dependents::{self, Referenced};

use crate::auth::Caller;
use crate::prelude::*;
use crate::problem::UsedBy;

/// Refuses what something uses, and names it.
pub async fn ensure_unused(state: &State, caller: &Caller, used: Referenced, id: Uuid) -> Result<(), Problem> {
    let (count, first) = dependents::find(&state.reader, caller.organization.0, used, id).await?;
    if count == 0 {
        return Ok(());
    }
    let names = first.iter().map(|user| format!("{} {:?}", user.kind.replace('_', " "), user.name));
    let more = if count > dependents::MAX_LISTED { ", …" } else { "" };
    let detail = format!("it is used by {count}: {}{more}", names.collect::<Vec<_>>().join(", "));
    let used_by = first.into_iter().map(|user| UsedBy { kind: user.kind, id: user.id, name: user.name }).collect();
    Err(Problem { used_by, ..Problem::of(Kind::InUse, detail) })
}
