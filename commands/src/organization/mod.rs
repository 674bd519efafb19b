//! Founds organisations, each with its certificate authority.

mod authority;

use domain::ids::OrganizationId;
use domain::organization::{Error as Refusal, Organization, OrganizationCommand};

use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;

/// The definition of a new organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundOrganization {
    /// Its id; if absent, it derives from the command id.
    pub id: Option<OrganizationId>,
    /// Its name.
    pub name: String,
}

/// An organisation with its certificate authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundedOrganization {
    /// The organisation.
    pub organization: OrganizationId,
    /// The certificate of its CA, PEM.
    pub ca_certificate_pem: String,
    /// The receipt of its last event.
    pub receipt: Receipt,
    /// Whether an earlier attempt of the same command founded it.
    pub repeated: bool,
}

impl Commands {
    /// Founds an organisation: records it, creates its CA (the key is stored in the vault) and records the CA's
    /// certificate. If interrupted, a repeat with the same command id completes it.
    pub async fn found_organization(
        &self,
        context: &CommandContext,
        new: FoundOrganization,
    ) -> Result<FoundedOrganization, Error<Refusal>> {
        let organization = new.id.unwrap_or_else(|| OrganizationId(context.created_id("organization")));
        let context = context.within(organization);
        let found = OrganizationCommand::FoundOrganization { name: new.name };
        let founded = self.execute::<Organization>(&context.step("found"), organization.0, found).await?;
        // Returns the stored CA if an interrupted attempt has created it already.
        let authority = self.inner.vault.ensure_authority(&self.inner.keys, organization, self.now()).await;
        let authority = authority.map_err(Error::widen)?;
        let record = OrganizationCommand::RecordCertificateAuthority {
            certificate_pem: authority.certificate_pem().to_owned(),
            subject_key_id: authority.key_id(),
            not_after: authority.not_after(),
        };
        let receipt = self.execute::<Organization>(&context.step("record authority"), organization.0, record).await?;
        let ca_certificate_pem = authority.certificate_pem().to_owned();
        Ok(FoundedOrganization { organization, ca_certificate_pem, receipt, repeated: founded.repeated })
    }

    /// Loads an organisation; refuses one that does not exist or is suspended.
    pub(crate) async fn active_organization(&self, id: OrganizationId) -> Result<Organization, Error<Refusal>> {
        let is_active = |known: &Organization| known.name.is_some() && !known.suspended;
        let organization = self.load_cached::<Organization>(id, id.0, is_active).await.map_err(Error::widen)?;
        match organization {
            Organization { name: None, .. } => Err(Error::Refused(Refusal::NotFound)),
            Organization { suspended: true, .. } => Err(Error::Refused(Refusal::Suspended)),
            active => Ok(active),
        }
    }
}
