//! Reads the requested range of values of a device or an asset, raw or aggregated.

use poem_openapi::Enum;
use projections::telemetry_history::read::{self, Aggregated, Point as Stored, Step};

use crate::prelude::*;
use crate::routes::time_window::TimeWindow;

/// The step by which values are aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Aggregation {
    /// No aggregation.
    #[oai(rename = "none")]
    None,
    /// One minute.
    #[oai(rename = "1m")]
    Minute,
    /// Five minutes.
    #[oai(rename = "5m")]
    FiveMinutes,
    /// One hour.
    #[oai(rename = "1h")]
    Hour,
}

/// A raw value, or the aggregate of one step.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Point {
    /// When the value was measured, by the device's clock; if aggregated, the start of the step, even if the range
    /// begins later.
    timestamp: Time,
    /// A number, boolean or text; the mean if aggregated.
    value: Value,
    /// The metric, if all were requested.
    metric_key: Option<String>,
    /// `uncertain` or `bad`; absent if good.
    quality: Option<String>,
    /// The minimum of the step.
    min: Option<f64>,
    /// The maximum of the step.
    max: Option<f64>,
    /// The number of values in the step.
    count: Option<i64>,
    /// Assets only: the devices that measured the value.
    source_devices: Option<Vec<Uuid>>,
}

/// The parameters of a request.
pub struct Range {
    /// One metric; all if absent.
    pub metric_key: Option<String>,
    /// Start, inclusive; defaults to 24 hours before the end.
    pub start_time: Option<Time>,
    /// End, exclusive; defaults to now.
    pub end_time: Option<Time>,
    /// The step; defaults to raw values.
    pub aggregation: Option<Aggregation>,
    /// Maximum number of points.
    pub limit: Option<i64>,
}

impl Range {
    /// Returns the requested aggregation.
    pub fn aggregation(&self) -> Aggregation {
        self.aggregation.unwrap_or(Aggregation::None)
    }

    /// Reads the values of a device or an asset.
    pub async fn read(&self, state: &State, entity: Uuid, is_asset: bool) -> Result<Vec<Point>, Problem> {
        let query = self.query(entity, state.now())?;
        let named = self.metric_key.is_none();
        let step = match self.aggregation() {
            Aggregation::None => {
                let points = read::raw(&state.reader, &query).await?;
                return Ok(points.into_iter().map(|point| one(point, named, is_asset)).collect());
            }
            Aggregation::Minute => Step::Minute,
            Aggregation::FiveMinutes => Step::FiveMinutes,
            Aggregation::Hour => Step::Hour,
        };
        let points = read::aggregate(&state.reader, &query, step).await?;
        Ok(points.into_iter().map(|point| many(point, named, is_asset)).collect())
    }

    fn query(&self, entity: Uuid, now: DateTime<Utc>) -> Result<read::Query, Problem> {
        let TimeWindow { from, until, limit } = TimeWindow::new(self.start_time, self.end_time, self.limit, now)?;
        let limit = usize::try_from(limit).unwrap_or_default();
        Ok(read::Query { entity, metric_key: self.metric_key.clone(), from, until, limit, newest: true })
    }
}

fn one(point: Stored, named: bool, is_asset: bool) -> Point {
    Point {
        timestamp: point.measured_at.into(),
        value: point.value,
        metric_key: named.then_some(point.metric_key),
        quality: (point.quality != "good").then_some(point.quality),
        min: None,
        max: None,
        count: None,
        source_devices: is_asset.then_some(point.source_devices),
    }
}

fn many(point: Aggregated, named: bool, is_asset: bool) -> Point {
    Point {
        timestamp: point.start.into(),
        value: Value::from(point.mean),
        metric_key: named.then_some(point.metric_key),
        quality: None,
        min: Some(point.minimum),
        max: Some(point.maximum),
        count: Some(point.count),
        source_devices: is_asset.then_some(point.source_devices),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> Range {
        Range { metric_key: None, start_time: None, end_time: None, aggregation: None, limit: None }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn defaults_are_the_last_day_and_a_thousand_points() {
        let query = range().query(Uuid::nil(), at(0)).unwrap();
        assert_eq!((query.from, query.until, query.limit), (at(-86_400), at(0), 1000));
        assert!(query.newest);
    }

    #[test]
    fn an_end_alone_selects_the_day_before_it() {
        let query = Range { end_time: Some(at(-500).into()), ..range() }.query(Uuid::nil(), at(0)).unwrap();
        assert_eq!((query.from, query.until), (at(-86_900), at(-500)));
    }

    #[test]
    fn limits_and_times_out_of_bounds_are_refused() {
        let field = |range: Range| range.query(Uuid::nil(), at(0)).unwrap_err().errors[0].field.clone();
        for limit in [0, -1, 10_001] {
            assert_eq!(field(Range { limit: Some(limit), ..range() }), "limit", "{limit}");
        }
        assert!(Range { limit: Some(10_000), ..range() }.query(Uuid::nil(), at(0)).is_ok());
        assert_eq!(field(Range { start_time: Some(at(5).into()), ..range() }), "startTime");
        assert_eq!(
            field(Range { start_time: Some(at(-5).into()), end_time: Some(at(-5).into()), ..range() }),
            "startTime"
        );
    }
}
