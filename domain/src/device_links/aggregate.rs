//! State of a device's links and the decisions on them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DeviceLinksCommand, DeviceLinksEvent, Error, Link};
use crate::aggregate::{Decide, aggregate};
use crate::ids::AssetId;
use crate::validation;

/// Maximum length of the reason for a correction, characters.
const MAX_REASON_CHARS: usize = 500;

/// The links of a device, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceLinks {
    /// All links, past and future ones included, in order of creation.
    pub links: Vec<Link>,
}

impl Decide for DeviceLinks {
    type Command = DeviceLinksCommand;
    type Event = DeviceLinksEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use DeviceLinksCommand as C;
        match command {
            C::LinkAsset { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } => {
                self.link(Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping })
            }
            C::CorrectLink { link_id, port, role, valid_from, valid_until, metrics_mapping, reason } => {
                let present = self.links.iter().find(|link| link.link_id == link_id).ok_or(Error::NoSuchLink)?;
                let asset_id = present.asset_id;
                let link = Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping };
                if link == *present { Ok(vec![]) } else { self.correct(link, &reason) }
            }
            C::UnlinkAsset { asset_id, port, at } => self.unlink(asset_id, port, at),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        use DeviceLinksEvent as E;
        match event {
            E::AssetLinked { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } => {
                self.links.push(Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping });
            }
            E::LinkCorrected { link_id, port, role, valid_from, valid_until, metrics_mapping, .. } => {
                for link in self.links.iter_mut().filter(|link| link.link_id == link_id) {
                    let (asset_id, metrics_mapping) = (link.asset_id, metrics_mapping.clone());
                    *link = Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping };
                }
            }
            E::AssetUnlinked { link_id, valid_until, .. } => {
                for link in self.links.iter_mut().filter(|link| link.link_id == link_id) {
                    link.valid_until = Some(valid_until);
                }
            }
        }
    }
}

aggregate!(DeviceLinks, "device_links");

impl DeviceLinks {
    fn link(&self, link: Link) -> Result<Vec<DeviceLinksEvent>, Error> {
        // A repeated command is not an overlap with itself.
        if self.links.contains(&link) {
            return Ok(vec![]);
        }
        self.check(&link, |present| present.link_id == link.link_id || present.overlaps(&link))?;
        let Link { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } = link;
        Ok(vec![DeviceLinksEvent::AssetLinked {
            link_id,
            asset_id,
            port,
            role,
            valid_from,
            valid_until,
            metrics_mapping,
        }])
    }

    fn correct(&self, link: Link, reason: &str) -> Result<Vec<DeviceLinksEvent>, Error> {
        self.check(&link, |present| present.link_id != link.link_id && present.overlaps(&link))?;
        let reason = validation::trimmed(reason, MAX_REASON_CHARS).ok_or(Error::InvalidReason)?;
        let Link { link_id, port, role, valid_from, valid_until, metrics_mapping, .. } = link;
        let corrected =
            DeviceLinksEvent::LinkCorrected { link_id, port, role, valid_from, valid_until, metrics_mapping, reason };
        Ok(vec![corrected])
    }

    fn check(&self, link: &Link, clashes: impl Fn(&Link) -> bool) -> Result<(), Error> {
        if link.valid_until.is_some_and(|until| until <= link.valid_from) {
            return Err(Error::InvalidWindow);
        }
        check_mapping(link)?;
        match self.links.iter().find(|present| clashes(present)) {
            Some(present) => Err(Error::Overlaps { link_id: present.link_id }),
            None => Ok(()),
        }
    }

    /// Ends the links that are valid or start later; one that has not started ends at its own start and so is never
    /// valid.
    fn unlink(&self, asset_id: AssetId, port: Option<u16>, at: DateTime<Utc>) -> Result<Vec<DeviceLinksEvent>, Error> {
        let is_meant = |link: &&Link| link.asset_id == asset_id && port.is_none_or(|port| link.port == Some(port));
        let end_of = |link: &Link| link.valid_from.max(at);
        let events: Vec<_> = self
            .links
            .iter()
            .filter(is_meant)
            .filter(|link| link.valid_until.is_none_or(|until| until > end_of(link)))
            .map(|link| DeviceLinksEvent::AssetUnlinked { link_id: link.link_id, asset_id, valid_until: end_of(link) })
            .collect();
        // A repeated unlink finds links that end at exactly this time; it must succeed without events.
        let ended_then = self.links.iter().filter(is_meant).any(|link| link.valid_until == Some(end_of(link)));
        if events.is_empty() && !ended_then { Err(Error::NotLinked { asset_id }) } else { Ok(events) }
    }
}

/// Returns the first mapping that is not `device.<key>` to `asset.<key>`.
pub(crate) fn first_invalid_mapping(mappings: &BTreeMap<String, String>) -> Option<(&String, &String)> {
    let is_key = |text: &str, prefix: &str| text.strip_prefix(prefix).is_some_and(validation::is_metric_key);
    mappings.iter().find(|(from, to)| !is_key(from, "device.") || !is_key(to, "asset."))
}

fn check_mapping(link: &Link) -> Result<(), Error> {
    match first_invalid_mapping(&link.metrics_mapping) {
        Some((from, to)) => Err(Error::InvalidMapping { from: from.clone(), to: to.clone() }),
        None => Ok(()),
    }
}
