//! The condition of a rule in requests and responses. Its semantics are in `domain::alarming`.

use std::str::FromStr;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use domain::alarming::{self, Criterion};
use poem_openapi::Enum;

use crate::enums::Operator;
use crate::prelude::*;
use crate::problem::FieldError;

/// When a rule is breached. Exactly one of: a comparison (`operator` and `value`), a silence (`noDataSeconds`), or
/// several parts in `all` or `any`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Condition {
    #[oai(nullable)]
    operator: Option<Operator>,
    #[oai(nullable)]
    value: Option<f64>,
    /// The upper bound of `between` and `outside`.
    #[oai(nullable)]
    upper: Option<f64>,
    /// How far back within its bounds a value must be before the condition is no longer met.
    #[oai(nullable)]
    dead_band: Option<f64>,
    /// Compare the rate of change per second since the previous value instead of the value.
    #[oai(nullable)]
    per_second: Option<bool>,
    /// The metric has not arrived for this many seconds, by the platform's clock.
    #[oai(nullable, validator(minimum(value = "10"), maximum(value = "2592000")))]
    no_data_seconds: Option<u32>,
    /// All of these must be met.
    #[oai(nullable, validator(min_items = 1, max_items = 20))]
    all: Option<Vec<ConditionPart>>,
    /// At least one of these must be met.
    #[oai(nullable, validator(min_items = 1, max_items = 20))]
    any: Option<Vec<ConditionPart>>,
    /// How long the condition must be met, by the device's clock; 0 means at once.
    #[oai(default, validator(maximum(value = "2592000")))]
    duration_seconds: u32,
    /// A longer gap in the data restarts the duration; defaults to an hour.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "2592000")))]
    max_gap_seconds: Option<u32>,
    /// The condition for the alarm to return to normal; defaults to the condition no longer being met.
    #[oai(nullable)]
    clear: Option<ConditionPart>,
    /// When a breach can start; defaults to always.
    #[oai(nullable)]
    schedule: Option<Schedule>,
}

/// A part of a condition. Exactly one of: a comparison, a silence, or several parts in `all` or `any`.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct ConditionPart {
    /// The metric; defaults to the rule's metric.
    #[oai(nullable, validator(min_length = 1, max_length = 64))]
    metric_key: Option<String>,
    #[oai(nullable)]
    operator: Option<Operator>,
    #[oai(nullable)]
    value: Option<f64>,
    /// The upper bound of `between` and `outside`.
    #[oai(nullable)]
    upper: Option<f64>,
    /// How far back within its bounds a value must be before the part is no longer met.
    #[oai(nullable)]
    dead_band: Option<f64>,
    /// Compare the rate of change per second since the previous value instead of the value.
    #[oai(nullable)]
    per_second: Option<bool>,
    /// The metric has not arrived for this many seconds, by the platform's clock.
    #[oai(nullable, validator(minimum(value = "10"), maximum(value = "2592000")))]
    no_data_seconds: Option<u32>,
    /// All of these must be met.
    #[oai(nullable, validator(min_items = 1, max_items = 20))]
    all: Option<Vec<ConditionPart>>,
    /// At least one of these must be met.
    #[oai(nullable, validator(min_items = 1, max_items = 20))]
    any: Option<Vec<ConditionPart>>,
}

/// Time windows of the week in one time zone.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// A name of the IANA time zone database, such as `Europe/Berlin`.
    time_zone: String,
    #[oai(validator(min_items = 1, max_items = 20))]
    windows: Vec<Window>,
}

/// A daily time window on some days.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// The days on which it starts; every day if empty.
    #[oai(default)]
    days: Vec<Day>,
    /// Start, inclusive, `HH:MM` or `HH:MM:SS`.
    from: String,
    /// End, exclusive; at or before `from`, it is on the next day.
    until: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

const DAYS: [(Day, Weekday); 7] = [
    (Day::Mon, Weekday::Mon),
    (Day::Tue, Weekday::Tue),
    (Day::Wed, Weekday::Wed),
    (Day::Thu, Weekday::Thu),
    (Day::Fri, Weekday::Fri),
    (Day::Sat, Weekday::Sat),
    (Day::Sun, Weekday::Sun),
];

impl Condition {
    /// Converts to the domain's condition; a problem names the invalid field.
    pub fn read(self) -> Result<alarming::Condition, Problem> {
        let Self { operator, value, upper, dead_band, per_second, no_data_seconds, all, any, .. } = self;
        let own = ConditionPart {
            metric_key: None,
            operator,
            value,
            upper,
            dead_band,
            per_second,
            no_data_seconds,
            all,
            any,
        };
        let criterion = own.read("condition")?;
        let clear = self.clear.map(|clear| clear.read("condition.clear")).transpose()?;
        let schedule = self.schedule.map(Schedule::read).transpose()?;
        let (duration_seconds, max_gap_seconds) = (self.duration_seconds, self.max_gap_seconds);
        Ok(alarming::Condition { criterion, duration_seconds, max_gap_seconds, clear, schedule })
    }
}

impl ConditionPart {
    fn read(self, field: &str) -> Result<Criterion, Problem> {
        let parts = |parts: Vec<Self>, word: &str| {
            let read = parts.into_iter().enumerate().map(|(at, part)| part.read(&format!("{field}.{word}[{at}]")));
            read.collect::<Result<Vec<_>, _>>()
        };
        let compares = self.operator.is_some() || self.value.is_some();
        let beside = self.upper.is_some() || self.dead_band.is_some() || self.per_second.is_some();
        match (compares, self.no_data_seconds, self.all, self.any) {
            (true, None, None, None) => {
                let operator = self.operator.ok_or_else(|| wrong(&format!("{field}.operator"), "is missing"))?;
                let value = self.value.ok_or_else(|| wrong(&format!("{field}.value"), "is missing"))?;
                Ok(Criterion::Compare(alarming::Comparison {
                    metric_key: self.metric_key,
                    operator: operator.into(),
                    value,
                    upper: self.upper,
                    dead_band: self.dead_band,
                    per_second: self.per_second.unwrap_or_default(),
                }))
            }
            _ if beside => Err(wrong(field, "upper, deadBand and perSecond belong to operator and value")),
            (false, Some(no_data_seconds), None, None) => {
                Ok(Criterion::Silence(alarming::Silence { no_data_seconds, metric_key: self.metric_key }))
            }
            (false, None, ..) if self.metric_key.is_some() => {
                Err(wrong(&format!("{field}.metricKey"), "belongs to operator and value, or to noDataSeconds"))
            }
            (false, None, Some(all), None) => Ok(Criterion::All { all: parts(all, "all")? }),
            (false, None, None, Some(any)) => Ok(Criterion::Any { any: parts(any, "any")? }),
            _ => Err(wrong(field, "needs exactly one of operator with value, noDataSeconds, all, any")),
        }
    }

    fn of(criterion: Criterion) -> Self {
        let parts = |parts: Vec<Criterion>| Some(parts.into_iter().map(Self::of).collect());
        match criterion {
            Criterion::All { all } => Self { all: parts(all), ..Self::default() },
            Criterion::Any { any } => Self { any: parts(any), ..Self::default() },
            Criterion::Silence(alarming::Silence { no_data_seconds, metric_key }) => {
                Self { metric_key, no_data_seconds: Some(no_data_seconds), ..Self::default() }
            }
            Criterion::Compare(comparison) => Self {
                metric_key: comparison.metric_key,
                operator: Some(comparison.operator.into()),
                value: Some(comparison.value),
                upper: comparison.upper,
                dead_band: comparison.dead_band,
                per_second: comparison.per_second.then_some(true),
                ..Self::default()
            },
        }
    }
}

impl From<alarming::Condition> for Condition {
    fn from(condition: alarming::Condition) -> Self {
        let own = ConditionPart::of(condition.criterion);
        let ConditionPart { operator, value, upper, dead_band, per_second, no_data_seconds, all, any, .. } = own;
        Self {
            operator,
            value,
            upper,
            dead_band,
            per_second,
            no_data_seconds,
            all,
            any,
            duration_seconds: condition.duration_seconds,
            max_gap_seconds: condition.max_gap_seconds,
            clear: condition.clear.map(ConditionPart::of),
            schedule: condition.schedule.map(Into::into),
        }
    }
}

impl Schedule {
    fn read(self) -> Result<alarming::Schedule, Problem> {
        let known = Tz::from_str(&self.time_zone);
        let time_zone = known.map_err(|_| wrong("condition.schedule.timeZone", "is not an IANA time zone"))?;
        let windows = self.windows.into_iter().enumerate().map(|(at, window)| window.read(at));
        Ok(alarming::Schedule { time_zone, windows: windows.collect::<Result<_, _>>()? })
    }
}

impl Window {
    fn read(self, at: usize) -> Result<alarming::Window, Problem> {
        let time = |text: &str, field: &str| {
            let read =
                NaiveTime::parse_from_str(text, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"));
            read.map_err(|_| wrong(&format!("condition.schedule.windows[{at}].{field}"), "must be HH:MM or HH:MM:SS"))
        };
        let asked = |day: &Day| DAYS.iter().find(|(known, _)| known == day).map(|(_, day)| *day);
        Ok(alarming::Window {
            days: self.days.iter().filter_map(asked).collect(),
            from: time(&self.from, "from")?,
            until: time(&self.until, "until")?,
        })
    }
}

impl From<alarming::Schedule> for Schedule {
    fn from(schedule: alarming::Schedule) -> Self {
        let shown = |day: Weekday| DAYS.iter().find(|(_, known)| *known == day).map(|(day, _)| *day);
        let windows = schedule.windows.into_iter().map(|window| Window {
            days: window.days.into_iter().filter_map(shown).collect(),
            from: window.from.format("%H:%M:%S").to_string(),
            until: window.until.format("%H:%M:%S").to_string(),
        });
        Self { time_zone: schedule.time_zone.name().to_owned(), windows: windows.collect() }
    }
}

fn wrong(field: &str, reason: &str) -> Problem {
    Problem::fields(vec![FieldError { field: field.to_owned(), message: reason.to_owned() }])
}
