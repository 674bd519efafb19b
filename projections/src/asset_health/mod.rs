//! The health of assets: the current score and every change of it. Scoring is in `domain::telemetry`.

mod fold;
pub mod read;
#[cfg(test)]
mod tests;

use domain::telemetry::{AssetPack, decode_pack};
use eventlog::{Message, Source, Stream, error_chain};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

pub use fold::{HealthChangeRow, HealthRow, fold};

use crate::decoded_event::Unreadable;
use crate::origin_marks::OriginMarks;
use crate::projection::{Written, rejection};
use crate::row_batch::{AnyRowBatch, RowBatch, append};
use crate::sql_values::to_bigint;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "asset_health";

/// The projection of this read model.
#[derive(Default)]
pub struct AssetHealth {
    marks: OriginMarks,
}

impl Projection for AssetHealth {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::all(Stream::TelemetryAsset)]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["asset_health", "asset_health_changes"]
    }

    fn marks(&mut self) -> Option<&mut OriginMarks> {
        Some(&mut self.marks)
    }

    fn forget(&mut self) {
        self.marks.clear();
    }

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let mut rejected = Vec::new();
            let mut changes = Vec::new();
            for message in batch {
                match decode_pack::<AssetPack>(&message.payload) {
                    Ok(pack) => changes.extend(self.new_changes(message, pack)),
                    Err(error) => rejected.push(rejection(message, Unreadable(error_chain(&error)))),
                }
            }
            let mut transaction = db.begin().await?;
            write(&mut transaction, &changes).await?;
            Ok(Written { transaction, rejected })
        })
    }
}

impl AssetHealth {
    /// Returns the changes of a pack that its source has not published before.
    fn new_changes(&mut self, message: &Message, pack: AssetPack) -> Vec<HealthChangeRow> {
        let last = self.marks.last(message);
        let es_position = pack.es_position;
        let new = pack.health.into_iter().filter(|change| OriginMarks::is_new(last, change.origin));
        let mut rows = Vec::new();
        for (ordinal, change) in new.enumerate() {
            self.marks.raise(message, change.origin);
            rows.push(HealthChangeRow {
                asset_id: change.asset.0,
                organization_id: change.organization.0,
                score: i16::from(change.score),
                previous: change.previous.map(i16::from),
                cause: change.cause,
                measured_at: change.measured_at,
                // Packs of older versions have no `scored_by`; the position of the definitions is the closest they
                // have.
                computed_by: Some(to_bigint(change.scored_by.map_or(es_position, |by| by.model))),
                formula_version: change.scored_by.map(|by| by.formula.into()),
                position: to_bigint(message.sequence),
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
            });
        }
        rows
    }
}

async fn write(db: &mut PgConnection, changes: &[HealthChangeRow]) -> Result<(), Error> {
    let mut rows = RowBatch::<HealthRow>::default();
    changes.iter().for_each(|change| rows.request(change.asset_id));
    rows.load(db).await?;
    changes.iter().for_each(|change| fold(&mut rows, change));
    rows.store(db).await?;
    append(db, "asset_health_changes", changes).await
}
