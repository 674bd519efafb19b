//! The `asOf` parameter: shows a resource as it was at a time, rebuilt from the events recorded until then.

use poem_openapi::param::Query;
use projections::time_travel::PastState;

use crate::auth::Caller;
use crate::state::State;
use crate::time::Time;

/// The `asOf` query parameter.
pub type AsOf = Query<Option<Time>>;

/// Returns a reader of the past for `asOf`, or none if the present state is requested.
pub fn point_in_time<'a>(state: &'a State, caller: &Caller, as_of: &AsOf) -> Option<PastState<'a>> {
    let organization = caller.organization.0;
    as_of.0.map(|at| PastState { reader: &state.reader, organization, at: at.0 })
}
