//! Past states of entities: the folds of the read models, run in memory over an entity's own events from the audit log.
//! The present state is in the read models themselves.

mod changes;
mod events;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::activity_board::{Activities, ActivityRow};
use crate::asset_directory::{AssetRow, Assets, LinkRow};
use crate::certificate_register::{CertificateRow, Certificates};
use crate::decoded_event::DecodedEvent;
use crate::device_directory::{DeviceRow, Devices};
use crate::fold::Fold;
use crate::rule_book::{RuleRow, Rules};
use crate::{Error, Reader};

pub use changes::{AuditEntry, FieldChange, history};
use events::{EventFilter, load_events};

/// The state of an organisation's entities at an earlier time.
#[derive(Clone, Copy)]
pub struct PastState<'a> {
    /// The read models.
    pub reader: &'a Reader,
    /// The organisation; entities of other organisations are not found.
    pub organization: Uuid,
    /// The time; events recorded exactly at it are included.
    pub at: DateTime<Utc>,
}

impl PastState<'_> {
    /// Returns a device, and the number of assets that it fed.
    pub async fn device(&self, id: Uuid) -> Result<Option<(DeviceRow, i64)>, Error> {
        let device = fold_all::<Devices>(&self.events(EventFilter::entity("device", id)).await?).get(id).cloned();
        let Some(device) = device else { return Ok(None) };
        let links = fold_all::<Assets>(&self.events(EventFilter::entity("device_links", id)).await?).links;
        let mut fed: Vec<_> = links.iter().filter(|link| link.is_valid_at(self.at)).map(|link| link.asset_id).collect();
        fed.sort_unstable();
        fed.dedup();
        Ok(Some((device, fed.len() as i64)))
    }

    /// Returns a certificate.
    pub async fn certificate(&self, id: Uuid) -> Result<Option<CertificateRow>, Error> {
        Ok(fold_all::<Certificates>(&self.events(EventFilter::entity("certificate", id)).await?).get(id).cloned())
    }

    /// Returns a link of a device.
    pub async fn link(&self, device: Uuid, id: Uuid) -> Result<Option<LinkRow>, Error> {
        Ok(fold_all::<Assets>(&self.events(EventFilter::entity("device_links", device)).await?).links.get(id).cloned())
    }

    /// Returns a rule.
    pub async fn rule(&self, id: Uuid) -> Result<Option<RuleRow>, Error> {
        Ok(fold_all::<Rules>(&self.events(EventFilter::entity("rule", id)).await?).rules.get(id).cloned())
    }

    /// Returns an asset, and its parent in the asset tree.
    pub async fn asset(&self, id: Uuid) -> Result<Option<(AssetRow, Option<Uuid>)>, Error> {
        let asset = fold_all::<Assets>(&self.events(EventFilter::entity("asset", id)).await?).assets.get(id).cloned();
        let Some(asset) = asset else { return Ok(None) };
        let places = fold_all::<Assets>(&self.events(EventFilter::tree_place(id)).await?).places;
        Ok(Some((asset, places.get(id).map(|place| place.parent_id))))
    }

    /// Returns an activity.
    pub async fn activity(&self, id: Uuid) -> Result<Option<ActivityRow>, Error> {
        Ok(fold_all::<Activities>(&self.events(EventFilter::entity("activity", id)).await?).get(id).cloned())
    }

    async fn events(&self, filter: EventFilter) -> Result<Vec<DecodedEvent>, Error> {
        load_events(self.reader, self.organization, filter, Some(self.at)).await
    }
}

/// Folds events into rows without a database.
fn fold_all<F: Fold>(events: &[DecodedEvent]) -> F::Rows {
    let mut rows = F::Rows::default();
    events.iter().for_each(|decoded| F::fold(&mut rows, decoded));
    rows
}
