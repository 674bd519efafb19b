//! Shows how the health of an asset changed.

use projections::asset_health::{HealthChangeRow, read};

use super::view::find;
use crate::prelude::*;
use crate::routes::time_window::TimeWindow;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// How the health of an asset changed, the oldest change first.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AssetHealth {
    asset_id: Uuid,
    changes: Vec<HealthChange>,
}

/// A change by at least one whole point.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct HealthChange {
    /// When the reading that changed it was measured.
    timestamp: Time,
    /// 0 to 100.
    health_score: i16,
    /// Absent of the first.
    previous_score: Option<i16>,
    /// The metric that pulls it down most, or `children`; absent at 100.
    cause: Option<String>,
    /// The version of the model that computed it: the log position of its definition, as `X-Log-Position` tells them.
    computed_by: Option<i64>,
    /// The version of the formula that computed it; absent of scores from before that was noted.
    formula_version: Option<i32>,
}

impl From<HealthChangeRow> for HealthChange {
    fn from(row: HealthChangeRow) -> Self {
        Self {
            timestamp: row.measured_at.into(),
            health_score: row.score,
            previous_score: row.previous,
            cause: row.cause,
            computed_by: row.computed_by,
            formula_version: row.formula_version,
        }
    }
}

#[OpenApi]
impl Api {
    /// Show how an asset's health changed
    ///
    /// Those at or after `startTime` (24 hours ago by default) and before `endTime` (now by default), in the order of time; of
    /// more than `limit` the newest.
    #[oai(path = "/assets/:id/health", method = "get", tag = "Tag::Assets", operation_id = "assetHealth")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        #[oai(name = "startTime")] start_time: Query<Option<Time>>,
        #[oai(name = "endTime")] end_time: Query<Option<Time>>,
        /// 1 to 10,000; 1,000 by default.
        limit: Query<Option<i64>>,
    ) -> Result<Json<AssetHealth>, Problem> {
        let asset = find(&state, &caller, id.0).await?;
        let TimeWindow { from, until, limit } = TimeWindow::new(start_time.0, end_time.0, limit.0, state.now())?;
        let organization = asset.row.organization_id;
        let changes = read::history(&state.reader, organization, id.0, from, until, limit).await?;
        let changes = changes.into_iter().map(Into::into).collect();
        Ok(Json(AssetHealth { asset_id: id.0, changes }))
    }
}
