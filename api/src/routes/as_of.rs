//! The `asOf` of a detail: the state at a time, folded from the events recorded until then.

use poem_openapi::param::Query;
use projections::time_travel::PastState;

use crate::auth::Caller;
use crate::state::State;
use crate::time::Time;

/// The parameter.
pub type AsOf = Query<Option<Time>>;

/// Returns the moment that is asked for; none where the present is.
pub fn point_in_time<'a>(state: &'a State, caller: &Caller, as_of: &AsOf) -> Option<PastState<'a>> {
    let organization = caller.organization.0;
    as_of.0.map(|at| PastState { reader: &state.reader, organization, at: at.0 })
}
