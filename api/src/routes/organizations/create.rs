//! Creates an organisation with its certificate authority.

use commands::FoundOrganization;
use projections::tenant_register::{NAME, read};

use super::view::OrganizationResponse;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A new organisation.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateOrganization {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
}

#[OpenApi]
impl Api {
    /// Create an organisation
    ///
    /// Each organisation has its own certificate authority, which signs the certificates of its devices.
    #[oai(path = "/organizations", method = "post", tag = "Tag::Organizations", operation_id = "createOrganization")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageOrganizations>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateOrganization>,
    ) -> Result<Created<OrganizationResponse>, Problem> {
        let new = FoundOrganization { id: None, name: body.0.name };
        let founded = state.commands.found_organization(&intent.context(&caller), new).await?;
        let id = founded.organization.0;
        let row = read_after_write(&state, NAME, (id, founded.receipt), read::organization(&state.reader, id)).await?;
        Ok(Created(OrganizationResponse { organization: row.into() }, founded.receipt))
    }
}
