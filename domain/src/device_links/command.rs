//! Commands of the links of a device; `aggregate` decides on them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::LinkRole;
use crate::ids::{AssetId, LinkId};

/// Commands on the links of a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceLinksCommand {
    /// Links the device to an asset.
    LinkAsset {
        /// The link.
        link_id: LinkId,
        /// The asset that receives its values.
        asset_id: AssetId,
        /// Port of a multi-port device.
        port: Option<u16>,
        /// Primary, backup or secondary.
        role: LinkRole,
        /// Start of validity.
        valid_from: DateTime<Utc>,
        /// End of validity; open-ended when absent.
        valid_until: Option<DateTime<Utc>>,
        /// `device.<key>` to `asset.<key>`; empty maps every metric to its own name.
        metrics_mapping: BTreeMap<String, String>,
    },
    /// Corrects a link, also for the past.
    CorrectLink {
        /// The link.
        link_id: LinkId,
        /// Port of a multi-port device.
        port: Option<u16>,
        /// Primary, backup or secondary.
        role: LinkRole,
        /// Start of validity.
        valid_from: DateTime<Utc>,
        /// End of validity; open-ended when absent.
        valid_until: Option<DateTime<Utc>>,
        /// `device.<key>` to `asset.<key>`; empty maps every metric to its own name.
        metrics_mapping: BTreeMap<String, String>,
        /// What was wrong, as entered by the actor.
        reason: String,
    },
    /// Ends the open links to an asset.
    UnlinkAsset {
        /// The asset.
        asset_id: AssetId,
        /// The port to unlink; all ports when absent.
        port: Option<u16>,
        /// When they end.
        at: DateTime<Utc>,
    },
}
