//! Suspends an organisation.

use domain::organization::{Organization, OrganizationCommand};

use super::view::{OrganizationResponse, after_write, within};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Why the organisation is suspended.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SuspendOrganization {
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Suspend an organisation
    ///
    /// Its users can no longer sign in, its tokens and API keys become invalid, and its devices are refused. No data is
    /// lost. Nobody can suspend their own organisation.
    #[oai(
        path = "/organizations/:id/suspend",
        method = "post",
        tag = "Tag::Organizations",
        operation_id = "suspendOrganization"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageOrganizations>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<SuspendOrganization>,
    ) -> Result<Revised<OrganizationResponse>, Problem> {
        if caller.home.0 == id.0 {
            return Err(Problem::of(Kind::Forbidden, "nobody can suspend the organisation that they belong to"));
        }
        let command = OrganizationCommand::SuspendOrganization { reason: body.0.reason };
        let context = within(intent.context(&caller), id.0);
        after_write(&state, id.0, state.commands.execute_at::<Organization>(&context, id.0, command, expected.0).await?)
            .await
    }
}
