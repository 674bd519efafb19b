//! Telemetry: defaults, bounds, aggregates and latest values.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Source, Text, eventually, reading, tenant};

#[allow(clippy::disallowed_methods, reason = "the API's defaults are relative to real time")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[test]
fn the_last_day_is_listed_chronologically_with_its_latest_values() {
    let tenant = tenant("Telemetry");
    let device = tenant.device("T-1");
    let source = Source { organization: &tenant.organization, device: &device };
    let end = now() - TimeDelta::seconds(30);
    let at = |seconds: i64| end - TimeDelta::seconds(seconds);
    source.publish(vec![
        reading(at(200_000), &[("temperature", 1.0)], None),
        reading(at(20), &[("temperature", 20.5)], None),
        reading(at(10), &[("temperature", 21.5), ("pressure", 101.0)], Some("pressure")),
    ]);
    let path = format!("/api/v1/telemetry/device/{device}");
    let fetch = |query: &str| tenant.admin.get(&format!("{path}?{query}")).ok();
    let day = eventually("both values of the last day", || {
        let day = fetch("metricKey=temperature");
        (day["count"] == 2).then_some(day)
    });
    assert_eq!(
        (&day["deviceId"], &day["metricKey"], &day["aggregation"]),
        (&json!(device), &json!("temperature"), &json!("none"))
    );
    let values =
        |answer: &Value| answer.as_array().unwrap().iter().map(|point| point["value"].clone()).collect::<Vec<_>>();
    assert_eq!(values(&day["data"]), [20.5, 21.5]);
    assert_eq!(day["data"][0].as_object().unwrap().len(), 2, "{}", day.text);
    assert_eq!(values(&fetch("metricKey=temperature&limit=1")["data"]), [21.5]);
    let older = format!("metricKey=temperature&limit=1&endTime={}", day["data"][1]["timestamp"].text());
    assert_eq!(values(&fetch(&older)["data"]), [20.5]);
    assert_eq!(fetch(&format!("metricKey=temperature&startTime={}", time(at(300_000))))["count"], 3);
    let all = fetch("");
    assert_eq!((&all["count"], &all["metricKey"]), (&json!(3), &Value::Null));
    assert!(all["data"].as_array().unwrap().iter().all(|point| point["metricKey"].is_string()), "{}", all.text);
    let hours = fetch("metricKey=temperature&aggregation=1h");
    assert_eq!(hours["aggregation"], "1h");
    let total: i64 = hours["data"].as_array().unwrap().iter().map(|hour| hour["count"].as_i64().unwrap()).sum();
    assert_eq!(total, 2);

    let latest = eventually("the latest values", || {
        let latest = tenant.admin.get(&format!("{path}/latest")).ok();
        (latest["metrics"]["pressure"]["value"] == 101.0).then_some(latest)
    });
    assert_eq!(latest["metrics"]["temperature"]["quality"], "good");
    assert_eq!(latest["metrics"]["pressure"]["quality"], "bad");
    assert_eq!((latest["status"].text(), latest["lastSeen"].is_string()), ("unknown".into(), true));
}

/// Returns the start of an hour that has passed.
fn hour() -> DateTime<Utc> {
    (now() - TimeDelta::hours(2)).duration_trunc(TimeDelta::hours(1)).unwrap()
}

#[test]
fn aggregates_count_only_values_of_the_range() {
    let tenant = tenant("Cut steps");
    let device = tenant.device("T-3");
    let source = Source { organization: &tenant.organization, device: &device };
    let hour = hour();
    let at = |seconds: i64| hour + TimeDelta::seconds(seconds);
    let values = [(0, 1.0), (29, 2.0), (30, 4.0), (59, 6.0), (60, 8.0)];
    source.publish(values.map(|(seconds, value)| reading(at(seconds), &[("level", value)], None)).into());
    let fetch = |from: i64, until: i64, aggregation: &str| {
        let (from, until) = (time(at(from)), time(at(until)));
        let range = format!("startTime={from}&endTime={until}&aggregation={aggregation}");
        tenant.admin.get(&format!("/api/v1/telemetry/device/{device}?metricKey=level&{range}")).ok()["data"].clone()
    };
    eventually("all values", || (fetch(0, 3_600, "none").as_array()?.len() == 5).then_some(()));
    for aggregation in ["1m", "5m", "1h"] {
        let start = at(0).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        let cut = json!([{"timestamp": start, "value": 5.0, "min": 4.0, "max": 6.0, "count": 2}]);
        assert_eq!(fetch(30, 60, aggregation), cut, "{aggregation}");
        assert_eq!(fetch(31, 59, aggregation), json!([]), "{aggregation}");
    }
}

#[test]
fn two_greatest_doubles_in_an_hour_do_not_fail_the_aggregates() {
    let tenant = tenant("Greatest doubles");
    let device = tenant.device("T-4");
    let source = Source { organization: &tenant.organization, device: &device };
    let hour = hour();
    let at = |seconds: i64| hour + TimeDelta::seconds(seconds);
    let both = |seconds, peak: f64| reading(at(seconds), &[("peak", peak), ("temperature", 20.0)], None);
    source.publish(vec![both(0, f64::MAX), both(10, f64::MAX), both(20, f64::MIN), both(30, f64::MAX)]);
    let fetch = |aggregation: &str| {
        let (from, until) = (time(at(0)), time(at(3_600)));
        let range = format!("startTime={from}&endTime={until}&aggregation={aggregation}");
        tenant.admin.get(&format!("/api/v1/telemetry/device/{device}?{range}")).ok()["data"].clone()
    };
    eventually("all values", || (fetch("none").as_array()?.len() == 8).then_some(()));
    for aggregation in ["1m", "5m", "1h"] {
        let steps = fetch(aggregation);
        let of = |step: usize| ["metricKey", "value", "min", "max", "count"].map(|field| steps[step][field].clone());
        assert_eq!(of(0), [json!("peak"), json!(f64::MAX / 2.0), json!(f64::MIN), json!(f64::MAX), json!(4)]);
        assert_eq!(of(1), [json!("temperature"), json!(20.0), json!(20.0), json!(20.0), json!(4)]);
    }
}

#[test]
fn latest_and_history_agree_on_two_messages_of_one_second() {
    let tenant = tenant("One second");
    let device = tenant.device("T-3");
    let source = Source { organization: &tenant.organization, device: &device };
    let at = now() - TimeDelta::seconds(60);
    source.publish(vec![reading(at, &[("level", 2.0), ("flow", 7.0)], None)]);
    source.publish(vec![reading(at, &[("level", 3.0)], None)]);
    source.publish(vec![reading(at - TimeDelta::seconds(1), &[("level", 9.0)], None)]);
    let path = format!("/api/v1/telemetry/device/{device}");
    let history = eventually("all three messages", || {
        let history = tenant.admin.get(&path).ok();
        (history["count"] == 3).then_some(history)
    });
    let newest: Vec<_> = history["data"].as_array().unwrap()[1..].iter().map(|point| point["value"].clone()).collect();
    assert_eq!(newest, [7.0, 3.0], "{}", history.text);
    let latest = eventually("the latest values", || {
        let latest = tenant.admin.get(&format!("{path}/latest")).ok();
        (latest["metrics"]["level"]["value"] == 3.0).then_some(latest)
    });
    assert_eq!(latest["metrics"]["flow"]["value"], 7.0);
    let minutes = tenant.admin.get(&format!("{path}?metricKey=level&aggregation=1m")).ok();
    let count: i64 = minutes["data"].as_array().unwrap().iter().map(|minute| minute["count"].as_i64().unwrap()).sum();
    assert_eq!(count, 2, "{}", minutes.text);
}

#[test]
fn invalid_limits_steps_and_times_are_refused() {
    let tenant = tenant("Limits");
    let device = tenant.device("T-2");
    let wrong = |query: &str| {
        let path = format!("/api/v1/telemetry/device/{device}?{query}");
        tenant.admin.get(&path).problem(400, "invalid-parameters").fields()
    };
    assert_eq!(wrong("limit=0"), ["limit"]);
    assert_eq!(wrong("limit=10001"), ["limit"]);
    assert_eq!(wrong("limit=many"), ["limit"]);
    assert_eq!(wrong("aggregation=2m"), ["aggregation"]);
    assert_eq!(wrong("startTime=yesterday"), ["startTime"]);
    assert_eq!(wrong("startTime=2026-01-02T00:00:00Z&endTime=2026-01-01T00:00:00Z"), ["startTime"]);
    let path = format!("/api/v1/telemetry/device/{device}?limit=10000");
    assert_eq!(tenant.admin.get(&path).ok()["data"], json!([]));
}

#[test]
fn an_asset_without_values_has_empty_lists() {
    let tenant = tenant("Asset values");
    let asset = tenant.asset("Pump");
    let path = format!("/api/v1/telemetry/asset/{asset}");
    let answer = tenant.admin.get(&path).ok();
    assert_eq!((&answer["assetId"], &answer["data"], &answer["count"]), (&json!(asset), &json!([]), &json!(0)));
    let latest = tenant.admin.get(&format!("{path}/latest")).ok();
    assert_eq!((&latest["metrics"], &latest["healthScore"]), (&json!({}), &Value::Null));
    let health = format!("/api/v1/assets/{asset}/health");
    assert_eq!(tenant.admin.get(&health).ok().json, json!({"assetId": asset, "changes": []}));
    for (wrong, field) in
        [("limit=0", "limit"), ("startTime=2026-01-02T00:00:00Z&endTime=2026-01-01T00:00:00Z", "startTime")]
    {
        let refused = tenant.admin.get(&format!("{health}?{wrong}"));
        assert_eq!(refused.problem(400, "invalid-parameters").fields(), [field]);
    }
}

#[test]
fn an_organisation_sets_its_telemetry_retention() {
    let (tenant, other) = (tenant("Retention"), tenant("Other retention"));
    let path = "/api/v1/telemetry/retention";
    assert_eq!(tenant.admin.get(path).ok()["days"], 365);
    tenant.admin.put(path, json!({"days": 30})).ok();
    assert_eq!(tenant.admin.get(path).ok()["days"], 30);
    for days in [0, 3_651] {
        let refused = tenant.admin.put(path, json!({"days": days})).problem(422, "invalid-fields");
        assert_eq!(refused.fields(), ["days"]);
    }
    assert_eq!(other.admin.get(path).ok()["days"], 365);
    let audit = eventually("the change in the audit trail", || {
        let audit = tenant.admin.get("/api/v1/audit?action=TelemetryRetentionChanged").ok();
        (audit["events"].as_array()?.len() == 1).then_some(audit)
    });
    assert!(audit.text.contains("\"days\":30"), "{}", audit.text);
}
