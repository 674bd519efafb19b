//! Links in responses.

use std::collections::HashMap;

use projections::asset_directory::LinkRow;

use crate::prelude::*;

/// A link.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct Link {
    id: Uuid,
    device_id: Uuid,
    asset_id: Uuid,
    #[oai(nullable)]
    port: Option<i32>,
    role: String,
    valid_from: Time,
    #[oai(nullable)]
    valid_until: Option<Time>,
    metrics_mapping: HashMap<String, String>,
    /// Increases with every change of the link.
    pub version: i64,
}

/// One link.
#[derive(Object)]
pub struct LinkResponse {
    pub link: Link,
}

versioned!(LinkResponse, link);

impl From<LinkRow> for Link {
    fn from(row: LinkRow) -> Self {
        Self {
            id: row.id,
            device_id: row.device_id,
            asset_id: row.asset_id,
            port: row.port,
            role: row.role,
            valid_from: row.valid_from.into(),
            valid_until: row.valid_until.map(Into::into),
            metrics_mapping: row.metrics_mapping.into_iter().collect(),
            version: row.position,
        }
    }
}
