//! The formula of the health score of an asset. The newest values are kept by the asset combiner stage.

use chrono::{DateTime, TimeDelta, Utc};

use crate::asset_type::{ChildrenFold, ChildrenHealth, HealthModel, MetricBand};

/// Version of the formula in [`score`]. Increment it whenever the same values could give another score, because every
/// score is stored with its version.
pub const FORMULA_VERSION: u16 = 2;

/// The cause of a low score if child assets cause it.
pub const CHILDREN: &str = "children";

/// A score and its main cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health<'m> {
    /// 0 (worst) to 100.
    pub score: u8,
    /// The metric that lowers the score most, or [`CHILDREN`]; `None` at 100.
    pub cause: Option<&'m str>,
}

/// Scores an asset at a time from the newest value of each metric, with its time of measurement, and the scores of its
/// direct children.
///
/// The score is the weighted mean `Σ wᵢ·sᵢ / Σ wᵢ` over the bands whose metric has a value, rounded half up. `sᵢ` is
/// 100 inside `good_low..=good_high`, 0 at and beyond the limits, and linear between them; it is 0 if the value is
/// older than the model's `stale_after_seconds`. With [`ChildrenFold::Mean`], each child contributes another `wᵢ·sᵢ`.
/// With [`ChildrenFold::Worst`], the score is the minimum of the mean of the bands and the worst child. There is no
/// score before the first value.
pub fn score<'m>(
    model: &'m HealthModel,
    at: DateTime<Utc>,
    newest: impl Fn(&str) -> Option<(f64, DateTime<Utc>)>,
    children: &[u8],
) -> Option<Health<'m>> {
    let oldest = model.stale_after_seconds.map(|seconds| at - TimeDelta::seconds(seconds.into()));
    let unit = unit_of_weights(model);
    let (mut weights, mut points, mut worst) = (0.0, 0.0, (0.0, None));
    for band in &model.bands {
        let Some((value, measured_at)) = newest(&band.metric_key) else { continue };
        let stale = oldest.is_some_and(|oldest| measured_at < oldest);
        let score = if stale { 0.0 } else { band_score(band, value) };
        let weight = band.weight / unit;
        let lost = weight * (100.0 - score);
        if lost > worst.0 {
            worst = (lost, Some(band.metric_key.as_str()));
        }
        weights += weight;
        points += weight * score;
    }
    let fold = model.children;
    if let Some(ChildrenHealth { fold: ChildrenFold::Mean, weight }) = fold {
        let weight = weight / unit;
        for child in children {
            let lost = weight * (100.0 - f64::from(*child));
            if lost > worst.0 {
                worst = (lost, Some(CHILDREN));
            }
            weights += weight;
            points += weight * f64::from(*child);
        }
    }
    let mean = points / weights;
    // The mean is NaN if no band has a value.
    let own = mean.is_finite().then(|| Health { score: mean.clamp(0.0, 100.0).round() as u8, cause: worst.1 });
    // `Worst` caps the score of the bands, and is the score where no band has a value.
    let below = children.iter().min().filter(|_| fold.is_some_and(|fold| fold.fold == ChildrenFold::Worst));
    match (own, below) {
        (Some(own), Some(below)) if own.score <= *below => Some(own),
        (_, Some(100)) => Some(Health { score: 100, cause: None }),
        (_, Some(below)) => Some(Health { score: *below, cause: Some(CHILDREN) }),
        (own, None) => own,
    }
}

/// Returns what weights are divided by, so that their sums do not overflow. It is 1 unless a weight is huge, and then a
/// power of two, so that no score changes by rounding.
fn unit_of_weights(model: &HealthModel) -> f64 {
    let weights = model.bands.iter().map(|band| band.weight).chain(model.children.map(|children| children.weight));
    if weights.fold(0.0, f64::max) < 1e270 { 1.0 } else { 2f64.powi(128) }
}

/// Scores one value from 0 to 100: 100 inside the good band, 0 at and beyond the limits, linear between.
pub fn band_score(band: &MetricBand, value: f64) -> f64 {
    if value < band.good_low {
        slope(value, band.limit_low, band.good_low)
    } else if value > band.good_high {
        slope(value, band.limit_high, band.good_high)
    } else {
        100.0
    }
}

/// Returns how far a value is on the way from the limit to the good band, in percent.
fn slope(value: f64, limit: f64, good: f64) -> f64 {
    // Halves, because the distance between two floats may exceed the greatest float.
    let way = (value / 2.0 - limit / 2.0) / (good / 2.0 - limit / 2.0);
    // A limit that equals the edge of the band makes the slope a step: the division is by zero.
    if way.is_finite() { (100.0 * way).clamp(0.0, 100.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn band(key: &str, bounds: [f64; 4], weight: f64) -> MetricBand {
        let [limit_low, good_low, good_high, limit_high] = bounds;
        MetricBand { metric_key: key.into(), good_low, good_high, limit_low, limit_high, weight }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_band_is_good_inside_zero_beyond_and_linear_between() {
        let temperature = band("t", [0.0, 20.0, 60.0, 80.0], 1.0);
        let table = [
            (40.0, 100.0),
            (20.0, 100.0),
            (60.0, 100.0),
            (10.0, 50.0),
            (75.0, 25.0),
            (0.0, 0.0),
            (80.0, 0.0),
            (-5.0, 0.0),
            (900.0, 0.0),
        ];
        for (value, expected) in table {
            assert_eq!(band_score(&temperature, value), expected, "{value}");
        }
    }

    #[test]
    fn a_limit_at_the_edge_of_the_band_is_a_step() {
        let step = band("t", [20.0, 20.0, 60.0, 60.0], 1.0);
        assert_eq!([19.9, 20.0, 60.0, 60.1].map(|value| band_score(&step, value)), [0.0, 100.0, 100.0, 0.0]);
    }

    #[test]
    fn the_score_is_the_weighted_mean_and_names_the_main_cause() {
        let bands = vec![band("a", [0.0, 10.0, 20.0, 30.0], 3.0), band("b", [0.0, 10.0, 20.0, 30.0], 1.0)];
        let model = HealthModel { bands, stale_after_seconds: Some(60), children: None };
        let of = |a: Option<f64>, b: Option<(f64, i64)>| {
            score(
                &model,
                at(100),
                move |key| if key == "a" { a.map(|a| (a, at(100))) } else { b.map(|(b, t)| (b, at(t))) },
                &[],
            )
        };
        assert_eq!(of(Some(15.0), Some((15.0, 100))), Some(Health { score: 100, cause: None }));
        assert_eq!(of(Some(15.0), Some((25.0, 100))), Some(Health { score: 88, cause: Some("b") }));
        assert_eq!(of(Some(28.0), Some((30.0, 100))), Some(Health { score: 15, cause: Some("a") }));
        assert_eq!(
            of(Some(15.0), None),
            Some(Health { score: 100, cause: None }),
            "a metric without a value does not count"
        );
        assert_eq!(
            of(Some(15.0), Some((15.0, 39))),
            Some(Health { score: 75, cause: Some("b") }),
            "a stale value scores 0"
        );
        assert_eq!(of(None, None), None);
    }

    #[test]
    fn children_count_by_their_mean_or_by_the_worst() {
        let of = |fold, weight, own: Option<f64>, children: &[u8]| {
            let bands = vec![band("a", [0.0, 10.0, 20.0, 30.0], 1.0)];
            let children_health = Some(ChildrenHealth { fold, weight });
            let model = HealthModel { bands, stale_after_seconds: None, children: children_health };
            let health = score(&model, at(0), |_| own.map(|own| (own, at(0))), children)?;
            Some((health.score, health.cause.map(str::to_owned)))
        };
        let (mean, worst) = (ChildrenFold::Mean, ChildrenFold::Worst);
        let below = || Some(CHILDREN.to_owned());
        assert_eq!(of(mean, 1.0, Some(15.0), &[100, 40]), Some((80, below())));
        assert_eq!(of(mean, 3.0, Some(25.0), &[100]), Some((88, Some("a".to_owned()))));
        assert_eq!(of(mean, 1.0, None, &[60, 40]), Some((50, below())));
        assert_eq!(of(worst, 1.0, Some(15.0), &[100, 40]), Some((40, below())));
        assert_eq!(of(worst, 1.0, Some(29.0), &[100, 40]), Some((10, Some("a".to_owned()))));
        assert_eq!(of(worst, 1.0, None, &[100]), Some((100, None)));
        assert_eq!(of(worst, 1.0, None, &[]), None);
        assert_eq!(of(worst, 1.0, Some(15.0), &[]), Some((100, None)));
    }

    #[test]
    fn the_greatest_values_bounds_and_weights_have_a_score() {
        let widest = band("a", [f64::MIN, f64::MAX, f64::MAX, f64::MAX], 1.0);
        assert_eq!([f64::MIN, 0.0, f64::MAX].map(|value| band_score(&widest, value)), [0.0, 50.0, 100.0]);
        let narrow = band("a", [0.0, 10.0, 20.0, 30.0], f64::MAX);
        assert_eq!([f64::MIN, f64::MAX].map(|value| band_score(&narrow, value)), [0.0, 0.0]);
        let bands = vec![narrow, band("b", [0.0, 10.0, 20.0, 30.0], f64::MAX)];
        let children = Some(ChildrenHealth { fold: ChildrenFold::Mean, weight: f64::MAX });
        let model = HealthModel { bands, stale_after_seconds: None, children };
        let newest = |key: &str| Some((if key == "a" { 15.0 } else { f64::MAX }, at(0)));
        assert_eq!(score(&model, at(0), newest, &[100, 80]), Some(Health { score: 70, cause: Some("b") }));
    }

    prop_compose! {
        fn any_band()(mut edges in prop::array::uniform4(-1e6..1e6f64), weight in 0.01..100.0f64) -> MetricBand {
            edges.sort_by(f64::total_cmp);
            band("m", edges, weight)
        }
    }

    proptest! {
        #[test]
        fn every_score_is_from_0_to_100(bands in prop::collection::vec(any_band(), 1..8), value in any::<f64>()) {
            let model = HealthModel { bands, stale_after_seconds: None, children: None };
            if let Some(health) = score(&model, at(0), |_| Some((value, at(0))), &[]) {
                prop_assert!(health.score <= 100);
                prop_assert!(health.cause.is_none() || health.score <= 100);
            }
        }

        #[test]
        fn farther_from_the_band_is_never_better(band in any_band(), start in -2e6..2e6f64, step in 0.0..1e6f64) {
            let (near, far) = if start > band.good_high { (start, start + step) } else { (start.min(band.good_low), start.min(band.good_low) - step) };
            prop_assert!(band_score(&band, far) <= band_score(&band, near));
        }
    }
}
