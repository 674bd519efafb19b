//! Links of a device to an asset.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AssetId, LinkId};
use crate::word_enum::word_enum;

/// Which device's values count when several devices are linked to one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkRole {
    /// The regular source.
    #[default]
    Primary,
    /// Used only while the primary is silent.
    Backup,
    /// Used in addition to the primary.
    Secondary,
}

/// A link with its validity window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The link.
    pub link_id: LinkId,
    /// The asset that receives the device's values.
    pub asset_id: AssetId,
    /// Port of a multi-port device.
    pub port: Option<u16>,
    /// Primary, backup or secondary.
    pub role: LinkRole,
    /// Start of validity.
    pub valid_from: DateTime<Utc>,
    /// End of validity; open-ended when absent.
    pub valid_until: Option<DateTime<Utc>>,
    /// `device.<key>` to `asset.<key>`; empty maps every metric to its own name.
    pub metrics_mapping: BTreeMap<String, String>,
}

impl Link {
    /// Returns whether both link the same asset and port at some common time. Empty windows overlap nothing.
    pub fn overlaps(&self, other: &Link) -> bool {
        let begins_before_end = |a: &Link, b: &Link| b.valid_until.is_none_or(|until| a.valid_from < until);
        let not_empty = |link: &Link| link.valid_until.is_none_or(|until| link.valid_from < until);
        self.asset_id == other.asset_id
            && self.port == other.port
            && not_empty(self)
            && not_empty(other)
            && begins_before_end(self, other)
            && begins_before_end(other, self)
    }

    /// Returns whether the link is valid at a time (`valid_from <= at < valid_until`).
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.valid_from <= at && self.valid_until.is_none_or(|until| at < until)
    }
}

word_enum!(LinkRole { Primary "primary", Backup "backup", Secondary "secondary" });
