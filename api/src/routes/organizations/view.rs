//! Organisations in responses.

use commands::{CommandContext, Receipt};
use domain::ids::OrganizationId;
use projections::tenant_register::{NAME, OrganizationRow, read};

use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// An organisation.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Organization {
    id: Uuid,
    name: String,
    /// `active` or `suspended`.
    status: String,
    suspended_reason: Option<String>,
    /// The certificate of its device CA, PEM.
    ca_certificate: Option<String>,
    ca_valid_until: Option<Time>,
    created_at: Time,
    updated_at: Time,
    version: i64,
}

/// One organisation.
#[derive(Debug, Object)]
pub struct OrganizationResponse {
    /// The organisation.
    pub organization: Organization,
}

versioned!(OrganizationResponse, organization);

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            status: row.status,
            suspended_reason: row.suspended_reason,
            ca_certificate: row.ca_certificate,
            ca_valid_until: row.ca_valid_until.map(Into::into),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

/// Returns the context moved to the organisation that the command changes.
pub fn within(context: CommandContext, id: Uuid) -> CommandContext {
    CommandContext { organization: OrganizationId(id), ..context }
}

/// Returns an organisation as it is after a write.
pub async fn after_write(state: &State, id: Uuid, receipt: Receipt) -> Result<Revised<OrganizationResponse>, Problem> {
    let row = read_after_write(state, NAME, (id, receipt), read::organization(&state.reader, id)).await?;
    Ok(Revised(OrganizationResponse { organization: row.into() }, Some(receipt)))
}
