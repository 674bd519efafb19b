//! What things were in the past: the folds of the read models over a thing's own events, as the audit log has them. What
//! does not live here: the folds, and the present.

mod changes;
mod events;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::activity_board::{Activities, ActivityRow};
use crate::asset_directory::{AssetRow, Assets, LinkRow};
use crate::certificate_register::{CertificateRow, Certificates};
use crate::device_directory::{DeviceRow, Devices};
use crate::fact::Fact;
use crate::fold::Fold;
use crate::rule_book::{RuleRow, Rules};
use crate::{Error, Reader};

pub use changes::{AuditEntry, FieldChange, history};
use events::{Of, facts};

/// A moment of an organisation's past.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    /// The read models.
    pub reader: &'a Reader,
    /// The organisation; what belongs to another one is not there.
    pub organization: Uuid,
    /// The moment: what was recorded at it counts.
    pub at: DateTime<Utc>,
}

impl Past<'_> {
    /// Returns a device as it was, with how many assets it fed.
    pub async fn device(&self, id: Uuid) -> Result<Option<(DeviceRow, i64)>, Error> {
        let device = folded::<Devices>(&self.facts(Of::entity("device", id)).await?).get(id).cloned();
        let Some(device) = device else { return Ok(None) };
        let links = folded::<Assets>(&self.facts(Of::entity("device_links", id)).await?).links;
        let mut fed: Vec<_> = links.rows().filter(|link| link.is_valid_at(self.at)).map(|link| link.asset_id).collect();
        fed.sort_unstable();
        fed.dedup();
        Ok(Some((device, fed.len() as i64)))
    }

    /// Returns a certificate as it was.
    pub async fn certificate(&self, id: Uuid) -> Result<Option<CertificateRow>, Error> {
        Ok(folded::<Certificates>(&self.facts(Of::entity("certificate", id)).await?).get(id).cloned())
    }

    /// Returns a link of a device as it was.
    pub async fn link(&self, device: Uuid, id: Uuid) -> Result<Option<LinkRow>, Error> {
        Ok(folded::<Assets>(&self.facts(Of::entity("device_links", device)).await?).links.get(id).cloned())
    }

    /// Returns a rule as it was.
    pub async fn rule(&self, id: Uuid) -> Result<Option<RuleRow>, Error> {
        Ok(folded::<Rules>(&self.facts(Of::entity("rule", id)).await?).rules.get(id).cloned())
    }

    /// Returns an asset as it was, and what it was part of.
    pub async fn asset(&self, id: Uuid) -> Result<Option<(AssetRow, Option<Uuid>)>, Error> {
        let asset = folded::<Assets>(&self.facts(Of::entity("asset", id)).await?).assets.get(id).cloned();
        let Some(asset) = asset else { return Ok(None) };
        let places = folded::<Assets>(&self.facts(Of::place(id)).await?).places;
        Ok(Some((asset, places.get(id).map(|place| place.parent_id))))
    }

    /// Returns an activity as it was.
    pub async fn activity(&self, id: Uuid) -> Result<Option<ActivityRow>, Error> {
        Ok(folded::<Activities>(&self.facts(Of::entity("activity", id)).await?).get(id).cloned())
    }

    async fn facts(&self, of: Of) -> Result<Vec<Fact>, Error> {
        facts(self.reader, self.organization, of, Some(self.at)).await
    }
}

/// The rows of a fold after some events, in memory alone.
fn folded<F: Fold>(facts: &[Fact]) -> F::Sheets {
    let mut sheets = F::Sheets::default();
    facts.iter().for_each(|fact| F::fold(&mut sheets, fact));
    sheets
}
