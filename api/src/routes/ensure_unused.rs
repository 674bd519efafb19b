//! Refuses to retire something that is still in use. The check reads the read models, so a user created at the same
//! instant can slip through; it then keeps working with the retired entry.

use projections::dependents::{self, Referenced};

use crate::auth::Caller;
use crate::prelude::*;
use crate::problem::UsedBy;

/// Fails with `in-use` if anything uses the entry; the problem names the first users.
pub async fn ensure_unused(state: &State, caller: &Caller, used: Referenced, id: Uuid) -> Result<(), Problem> {
    let (count, first) = dependents::find(&state.reader, caller.organization.0, used, id).await?;
    if count == 0 {
        return Ok(());
    }
    let names = first.iter().map(|user| format!("{} {:?}", user.kind.replace('_', " "), user.name));
    let more = if count > dependents::MAX_LISTED { ", …" } else { "" };
    let detail = format!("it is in use by {count}: {}{more}", names.collect::<Vec<_>>().join(", "));
    let used_by = first.into_iter().map(|user| UsedBy { kind: user.kind, id: user.id, name: user.name }).collect();
    Err(Problem { used_by, ..Problem::of(Kind::InUse, detail) })
}
