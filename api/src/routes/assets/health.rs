//! Lists the changes of an asset's health score.

use projections::asset_health::{HealthChangeRow, read};

use super::view::find;
use crate::prelude::*;
use crate::routes::time_window::TimeWindow;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Changes of an asset's health score, oldest first.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AssetHealth {
    asset_id: Uuid,
    changes: Vec<HealthChange>,
}

/// A change of at least one point.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct HealthChange {
    /// When the reading that changed the score was measured.
    timestamp: Time,
    /// 0 to 100.
    health_score: i16,
    /// Absent for the first score.
    previous_score: Option<i16>,
    /// The metric that lowers the score most, or `children`; absent at 100.
    cause: Option<String>,
    /// Version of the model that computed the score: the log position of its definition, comparable with
    /// `X-Log-Position`.
    computed_by: Option<i64>,
    /// Version of the formula that computed the score; absent for scores from before it was recorded.
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
    /// List the changes of an asset's health
    ///
    /// Returns changes at or after `startTime` (default: 24 hours ago) and before `endTime` (default: now), in
    /// chronological order; if there are more than `limit`, the newest.
    #[oai(path = "/assets/:id/health", method = "get", tag = "Tag::Assets", operation_id = "assetHealth")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        /// Changes at or after this time; defaults to 24 hours before the end.
        #[oai(name = "startTime")]
        start_time: Query<Option<Time>>,
        /// Changes before this time; defaults to now.
        #[oai(name = "endTime")]
        end_time: Query<Option<Time>>,
        /// Maximum number of points, 1 to 10,000; defaults to 1,000.
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
