//! Renames an organisation.

use domain::organization::{Organization, OrganizationCommand};

use super::view::{OrganizationResponse, after_write, within};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The new name.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateOrganization {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
}

#[OpenApi]
impl Api {
    /// Rename an organisation
    #[oai(path = "/organizations/:id", method = "put", tag = "Tag::Organizations", operation_id = "updateOrganization")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageOrganizations>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<UpdateOrganization>,
    ) -> Result<Revised<OrganizationResponse>, Problem> {
        let command = OrganizationCommand::RenameOrganization { name: body.0.name };
        let context = within(intent.context(&caller), id.0);
        after_write(&state, id.0, state.commands.execute_at::<Organization>(&context, id.0, command, expected.0).await?)
            .await
    }
}
