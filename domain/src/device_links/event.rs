//! Events of the links of a device. They are stored forever: add new versions, never change an existing one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::LinkRole;
use crate::ids::{AssetId, LinkId};

use crate::aggregate::domain_event;

/// Events of the links of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeviceLinksEvent {
    /// The device was linked to an asset.
    AssetLinked {
        /// The link.
        link_id: LinkId,
        /// The asset that receives its values.
        asset_id: AssetId,
        /// Port of a multi-port device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// Primary, backup or secondary.
        role: LinkRole,
        /// Start of validity.
        valid_from: DateTime<Utc>,
        /// End of validity; open-ended when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_until: Option<DateTime<Utc>>,
        /// `device.<key>` to `asset.<key>`; empty maps every metric to its own name.
        metrics_mapping: BTreeMap<String, String>,
    },
    /// The link was corrected, also for the past; readings that were already processed stay as they are.
    LinkCorrected {
        /// The link.
        link_id: LinkId,
        /// Port of a multi-port device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// Primary, backup or secondary.
        role: LinkRole,
        /// Start of validity.
        valid_from: DateTime<Utc>,
        /// End of validity; open-ended when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_until: Option<DateTime<Utc>>,
        /// `device.<key>` to `asset.<key>`; empty maps every metric to its own name.
        metrics_mapping: BTreeMap<String, String>,
        /// What was wrong, as entered by the actor.
        reason: String,
    },
    /// The link was ended.
    AssetUnlinked {
        /// The link.
        link_id: LinkId,
        /// The asset.
        asset_id: AssetId,
        /// When it ended.
        valid_until: DateTime<Utc>,
    },
}

domain_event!(DeviceLinksEvent { AssetLinked "1.0", AssetUnlinked "1.0", LinkCorrected "1.0" });
