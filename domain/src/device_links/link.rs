//! One link of a device to an asset.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AssetId, LinkId};

/// Which link's values count when several feed one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkRole {
    /// The usual source.
    #[default]
    Primary,
    /// Used while the primary is silent.
    Backup,
    /// Beside the primary.
    Secondary,
}

/// A link with its window of validity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The link.
    pub link_id: LinkId,
    /// The asset it feeds.
    pub asset_id: AssetId,
    /// Port of a multi-port device.
    pub port: Option<u16>,
    /// Primary, backup or secondary.
    pub role: LinkRole,
    /// Start of its validity.
    pub valid_from: DateTime<Utc>,
    /// End of its validity, open when absent.
    pub valid_until: Option<DateTime<Utc>>,
    /// `device.<key>` to `asset.<key>`; empty maps every metric to its own name.
    pub metrics_mapping: BTreeMap<String, String>,
}

impl Link {
    /// Tells whether the link is valid at a time (`valid_from <= at < valid_until`).
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.valid_from <= at && self.valid_until.is_none_or(|until| at < until)
    }
}
