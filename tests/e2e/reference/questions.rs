//! Asks the platform and the reference the same questions and compares the answers.

use std::fmt::Debug;
use std::ops::Range;

use serde_json::Value;

use super::driver::{Case, MARK, eventually, micros, time};
use super::history::{Entity, INSTANTS, RULES};
use super::model::{Alarm, Bucket, Content, End, Micros, Point};

/// The steps of aggregates, in microseconds.
const STEPS: [(&str, Micros); 3] = [("1m", 60_000_000), ("5m", 300_000_000), ("1h", 3_600_000_000)];
/// How far a mean may be from the reference's, relative to the greatest absolute value.
const TOLERANCE: f64 = 1e-12;

/// Asks every question; returns the answers that differ.
pub fn ask(case: &Case<'_>) -> Vec<String> {
    let mut differences = Vec::new();
    for entity in case.entities() {
        differences.extend(latest(case, entity));
        for range in ranges(case.first_hour) {
            differences.extend(history(case, entity, range.clone()));
            differences
                .extend(STEPS.iter().filter_map(|(name, step)| aggregates(case, entity, range.clone(), (name, *step))));
        }
        differences.extend(newest_three(case, entity));
    }
    for rule in 0..RULES.len() {
        differences.extend(alarms(case, rule));
        differences.extend(activities(case, rule));
    }
    differences
}

/// Everything, and ranges that begin and end at times of values and within steps.
fn ranges(first_hour: i64) -> Vec<Range<Micros>> {
    let at = |millis: i64| (first_hour + millis) * 1000;
    let hours = |hours: i64| at(hours * 3_600_000);
    vec![
        hours(-1)..hours(24),
        at(INSTANTS[1])..at(INSTANTS[7]),
        at(INSTANTS[7])..at(INSTANTS[13]),
        at(INSTANTS[11]) - 1..at(INSTANTS[18]) + 1,
        at(INSTANTS[14])..at(INSTANTS[14]) + 1,
    ]
}

fn query(range: &Range<Micros>) -> String {
    format!("startTime={}&endTime={}&limit=10000", time(range.start), time(range.end))
}

fn latest(case: &Case<'_>, entity: Entity) -> Option<String> {
    let path = format!("{}/latest", case.telemetry(entity));
    let answer = case.api.get(&path);
    let metrics = answer["metrics"].as_object().unwrap().iter();
    let mut shown: Vec<_> =
        metrics.filter(|(metric, _)| *metric != MARK).map(|(metric, value)| point(case, metric, value)).collect();
    shown.sort_by(|a, b| a.metric.cmp(&b.metric));
    let mut expected = case.reference.latest(entity);
    expected.iter_mut().for_each(|point| point.sources.clear());
    compare(path, &expected, &shown)
}

fn history(case: &Case<'_>, entity: Entity, range: Range<Micros>) -> Option<String> {
    let path = format!("{}?{}", case.telemetry(entity), query(&range));
    compare(path.clone(), &case.reference.history(entity, None, range), &points(case, &path))
}

fn newest_three(case: &Case<'_>, entity: Entity) -> Option<String> {
    let metric = if entity == Entity::Asset(1) { "v" } else { "level" };
    let range = ranges(case.first_hour).remove(0);
    let path = format!("{}?{}&metricKey={metric}", case.telemetry(entity), query(&range).replace("10000", "3"));
    let all = case.reference.history(entity, Some(metric), range);
    let newest = all[all.len().saturating_sub(3)..].to_vec();
    compare(path.clone(), &newest, &points(case, &path))
}

/// Returns the points of an answer.
fn points(case: &Case<'_>, path: &str) -> Vec<Point> {
    let answer = case.api.get(path);
    let data = answer["data"].as_array().unwrap().iter();
    let points =
        data.map(|shown| point(case, shown["metricKey"].as_str().or(answer["metricKey"].as_str()).unwrap(), shown));
    let mut points: Vec<_> = points.filter(|point| point.metric != MARK).collect();
    assert!(points.is_sorted_by_key(|point| point.at), "{path} is not in the order of time: {answer}");
    points.sort_by(|a, b| (a.at, &a.metric).cmp(&(b.at, &b.metric)));
    points
}

fn point(case: &Case<'_>, metric: &str, shown: &Value) -> Point {
    let content = match &shown["value"] {
        Value::Bool(value) => Content::Boolean(*value),
        Value::String(text) => Content::Text(text.clone()),
        Value::Number(number) => Content::Number(number.as_f64().unwrap()),
        other => panic!("a value cannot be {other}"),
    };
    Point {
        at: micros(&shown["timestamp"]),
        metric: metric.to_owned(),
        content,
        quality: shown["quality"].as_str().unwrap_or("good").to_owned(),
        sources: sources(case, shown),
    }
}

fn sources(case: &Case<'_>, shown: &Value) -> Vec<usize> {
    let sources = shown["sourceDevices"].as_array().into_iter().flatten();
    sources.map(|source| case.devices.iter().position(|device| source == device.as_str()).unwrap()).collect()
}

fn aggregates(case: &Case<'_>, entity: Entity, range: Range<Micros>, (name, step): (&str, Micros)) -> Option<String> {
    let path = format!("{}?{}&aggregation={name}", case.telemetry(entity), query(&range));
    let (status, answer) = case.api.try_get(&path);
    if status != 200 {
        return Some(format!("{path} answered {status}: {answer}"));
    }
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    let bucket = |shown: &Value| Bucket {
        start: micros(&shown["timestamp"]),
        metric: shown["metricKey"].as_str().unwrap().to_owned(),
        count: shown["count"].as_i64().unwrap(),
        least: number(&shown["min"]),
        greatest: number(&shown["max"]),
        mean: shown["value"].as_f64(),
        sources: sources(case, shown).into_iter().collect(),
    };
    let mut shown: Vec<_> =
        answer["data"].as_array().unwrap().iter().map(bucket).filter(|shown| shown.metric != MARK).collect();
    shown.sort_by(|a, b| (a.start, &a.metric).cmp(&(b.start, &b.metric)));
    compare(path, &case.reference.aggregates(entity, range, step), &shown)
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        let scale = self.least.abs().max(self.greatest.abs());
        let mean = match (self.mean, other.mean) {
            (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE * scale,
            (one, other) => one == other,
        };
        let [mine, others] =
            [self, other].map(|bucket| (bucket.start, &bucket.metric, bucket.count, bucket.least, bucket.greatest));
        mean && mine == others && self.sources == other.sources
    }
}

/// An alarm as people see it. Times of the platform's clock are left out.
type ShownAlarm<'a> =
    (String, &'a str, &'a str, &'a str, f64, Micros, Option<(Micros, f64)>, i64, Option<&'a str>, bool);

fn alarms(case: &Case<'_>, rule: usize) -> Option<String> {
    let expected = case.reference.alarms(rule);
    let expected: Vec<_> =
        expected.iter().enumerate().map(|(index, alarm)| expected_alarm(case, rule, index, alarm)).collect();
    let starts: Vec<_> = case.reference.alarms(rule).into_iter().map(|alarm| alarm.starts).collect();
    let checked = eventually("the alarms", || {
        let (all, open) = (case.alarms(rule, ""), case.alarms(rule, "&open=true"));
        let shown: Vec<_> = all.iter().map(|alarm| shown_alarm(alarm, &open)).collect();
        if shown != expected {
            return Err(format!("expected {expected:#?}\nanswered {shown:#?}"));
        }
        let begins = all.iter().zip(&starts).all(|(alarm, starts)| starts.contains(&micros(&alarm["startedAt"])));
        if begins { Ok(()) } else { Err(format!("starts are one of {starts:?} each, answered {all:#?}")) }
    });
    checked.err().map(|error| format!("alarms of rule {rule}: {error}"))
}

fn expected_alarm<'a>(case: &Case<'_>, rule: usize, index: usize, alarm: &'a Alarm) -> ShownAlarm<'a> {
    let ended = match alarm.end {
        Some(End::Value(at, value)) => Some((at, value)),
        _ => None,
    };
    let id = case.alarm_id(rule, index + 1);
    let Alarm { name, severity, value, raised_at, repeats, closed, .. } = alarm;
    (id, name, severity, alarm.state(), *value, *raised_at, ended, *repeats, *closed, alarm.is_open())
}

fn shown_alarm<'a>(alarm: &'a Value, open: &[Value]) -> ShownAlarm<'a> {
    let text = |field: &str| alarm[field].as_str();
    let ended = alarm["returnedValue"].as_f64().map(|value| (micros(&alarm["returnedAt"]), value));
    (
        text("id").unwrap().to_owned(),
        text("ruleName").unwrap(),
        text("severity").unwrap(),
        text("state").unwrap(),
        alarm["value"].as_f64().unwrap(),
        micros(&alarm["raisedAt"]),
        ended,
        alarm["repeats"].as_i64().unwrap(),
        text("closed"),
        open.iter().any(|open| open["id"] == alarm["id"]),
    )
}

/// Each alarm has one work order, whose priority is its severity.
fn activities(case: &Case<'_>, rule: usize) -> Option<String> {
    let alarms = case.reference.alarms(rule);
    let wanted =
        alarms.iter().enumerate().map(|(index, alarm)| (case.alarm_id(rule, index + 1), alarm.severity.clone()));
    let mut expected: Vec<_> = wanted.collect();
    expected.sort();
    let path = format!("/api/v1/activities?targetId={}&limit=1000", case.id(RULES[rule].0));
    let checked = eventually("the activities", || {
        let answer = case.api.get(&path);
        let text = |activity: &Value, field: &str| activity[field].as_str().unwrap_or_default().to_owned();
        let activities = answer["activities"].as_array().unwrap().iter();
        let mut shown: Vec<_> =
            activities.map(|activity| (text(activity, "alarmId"), text(activity, "priority"))).collect();
        shown.sort();
        if shown == expected { Ok(()) } else { Err(format!("expected {expected:?}\nanswered {shown:?}")) }
    });
    checked.err().map(|error| format!("{path}: {error}"))
}

fn compare<T: PartialEq + Debug>(question: String, expected: &[T], shown: &[T]) -> Option<String> {
    if expected == shown {
        return None;
    }
    let missing = expected.iter().filter(|one| !shown.contains(one)).map(|one| format!("\n  expected {one:?}"));
    let surplus = shown.iter().filter(|one| !expected.contains(one)).map(|one| format!("\n  answered {one:?}"));
    Some(format!("{question}{}", missing.chain(surplus).collect::<String>()))
}
