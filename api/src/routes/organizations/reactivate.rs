//! Reactivates a suspended organisation.

use domain::organization::{Organization, OrganizationCommand};

use super::view::{OrganizationResponse, after_write, within};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Reactivate an organisation
    #[oai(
        path = "/organizations/:id/reactivate",
        method = "post",
        tag = "Tag::Organizations",
        operation_id = "reactivateOrganization"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageOrganizations>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Revised<OrganizationResponse>, Problem> {
        let command = OrganizationCommand::ReinstateOrganization {};
        let context = within(intent.context(&caller), id.0);
        after_write(&state, id.0, state.commands.execute_at::<Organization>(&context, id.0, command, expected.0).await?)
            .await
    }
}
