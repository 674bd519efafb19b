//! Folds health changes into the current health. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::{Row, RowBatch};

/// The current health of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthRow {
    /// The asset.
    pub asset_id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// 0 to 100.
    pub score: i16,
    /// The previous score.
    pub previous: Option<i16>,
    /// The metric that lowers the score most.
    pub cause: Option<String>,
    /// When the reading behind it was measured.
    pub measured_at: DateTime<Utc>,
    /// The version of the model that computed it: the position in `ES` of its definition.
    pub computed_by: Option<i64>,
    /// The version of the formula; absent for scores computed before it was recorded.
    pub formula_version: Option<i32>,
    /// The position in `TELEMETRY_ASSET`.
    pub position: i64,
}

impl Row for HealthRow {
    const TABLE: &'static str = "asset_health";
    const KEY: &'static str = "asset_id";

    fn key(&self) -> Uuid {
        self.asset_id
    }
}

/// One change of an asset's health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthChangeRow {
    /// The asset.
    pub asset_id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// 0 to 100.
    pub score: i16,
    /// The previous score.
    pub previous: Option<i16>,
    /// The metric that lowers the score most.
    pub cause: Option<String>,
    /// When the reading behind it was measured.
    pub measured_at: DateTime<Utc>,
    /// The version of the model that computed it: the position in `ES` of its definition.
    pub computed_by: Option<i64>,
    /// The version of the formula; absent for scores computed before it was recorded.
    pub formula_version: Option<i32>,
    /// The position in `TELEMETRY_ASSET`.
    pub position: i64,
    /// Its index among the changes of its message, from 0.
    pub ordinal: i32,
}

/// Folds one change; a change from an older reading than the current score's does not replace it.
pub fn fold(rows: &mut RowBatch<HealthRow>, change: &HealthChangeRow) {
    if rows.get(change.asset_id).is_some_and(|row| row.measured_at > change.measured_at) {
        return;
    }
    rows.upsert(HealthRow {
        asset_id: change.asset_id,
        organization_id: change.organization_id,
        score: change.score,
        previous: change.previous,
        cause: change.cause.clone(),
        measured_at: change.measured_at,
        computed_by: change.computed_by,
        formula_version: change.formula_version,
        position: change.position,
    });
}
