//! Settings of the daily seal.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Tamper evidence of the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Folder into which the `api` role writes a seal each day (UTC). When absent, no seal is written; `up` uses
    /// `data_dir/seals`.
    pub seal_folder: Option<PathBuf>,
}
