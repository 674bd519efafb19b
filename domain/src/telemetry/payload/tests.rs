//! Tests of parsing and validation: payloads in, readings or reasons out.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::device_type::{MetricDefinition, UnknownMetrics, ValueKind};
use crate::directory::DeviceTypeEntry;
use crate::telemetry::{MetricValue, Quality};

fn received_at() -> DateTime<Utc> {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn reason(payload: &str) -> Option<Reason> {
    check(payload.as_bytes()).err().map(|refusal| refusal.reason)
}

fn measured_at(ts: &str) -> Option<DateTime<Utc>> {
    let payload = format!(r#"{{"ts":{ts},"metrics":{{"t":1}}}}"#);
    parse(payload.as_bytes()).unwrap()[0].measured_at
}

#[test]
fn a_reading_has_its_time_and_metrics_of_every_kind() {
    let readings =
        parse(br#"{"seq":7,"ts":1706370000,"metrics":{"temp":25.5,"on":true,"n":-3,"s":"a\"b"},"x":{"y":[1]}}"#)
            .unwrap();
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].measured_at, DateTime::from_timestamp(1_706_370_000, 0));
    let metrics: Vec<_> = readings[0].metrics.iter().map(|(key, value)| (&**key, value.clone())).collect();
    let expected = [
        ("temp", Value::Number(25.5)),
        ("on", Value::Boolean(true)),
        ("n", Value::Number(-3.0)),
        ("s", Value::Text("a\"b".into())),
    ];
    assert_eq!(metrics, expected);
}

#[test]
fn a_time_is_given_in_seconds_milliseconds_or_as_text() {
    let expected = Some("2024-01-27T15:40:00.250Z".parse().unwrap());
    for ts in [
        "1706370000.25",
        "1706370000250",
        "1706370000250.0",
        r#""2024-01-27T15:40:00.250Z""#,
        r#""2024-01-27T16:40:00.2500000009+01:00""#,
    ] {
        assert_eq!(measured_at(ts), expected, "{ts}");
    }
    let text = |text: &str| measured_at(&format!("{text:?}"));
    assert_eq!(text("2016-12-31T23:59:60Z"), Some("2017-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(text("1969-12-31T23:59:59.9999999-14:00"), Some("1970-01-01T13:59:59.999999Z".parse().unwrap()));
    assert_eq!(measured_at("99999999999"), Some("5138-11-16T09:46:39Z".parse().unwrap()));
    assert_eq!(measured_at("100000000000"), Some("1973-03-03T09:46:40Z".parse().unwrap()));
    assert_eq!(measured_at("null"), None);
    assert_eq!(measured_at("0"), Some(DateTime::UNIX_EPOCH));
}

#[test]
fn an_array_contains_readings_and_null_values_are_dropped() {
    let readings = parse(br#"[{"metrics":{"a":1,"b":null}},{"ts":1706370000,"metrics":{"a":2}}]"#).unwrap();
    assert_eq!(readings.iter().map(|reading| reading.metrics.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn metrics_of_ports_have_keys_prefixed_with_the_port() {
    let readings = parse(br#"{"ports":{"1":{"v":230.1},"12":{"v":5}},"metrics":{"rssi":-60}}"#).unwrap();
    let keys: Vec<_> = readings[0].metrics.iter().map(|(key, _)| &**key).collect();
    assert_eq!(keys, ["1.v", "12.v", "rssi"]);
}

#[test]
fn an_invalid_payload_is_rejected_with_its_reason() {
    let many = |count: usize| (0..count).map(|n| format!(r#""m{n}":1"#)).collect::<Vec<_>>().join(",");
    let metrics = |inner: &str| format!(r#"{{"metrics":{{{inner}}}}}"#);
    let table = [
        (String::new(), Reason::MalformedJson),
        ("{".into(), Reason::MalformedJson),
        ("{}x".into(), Reason::NoMetrics),
        (metrics("\"a\":1") + "x", Reason::MalformedJson),
        (metrics("\"a\":01"), Reason::MalformedJson),
        (metrics("\"a\":\"x\ny\""), Reason::MalformedJson),
        ("[".repeat(200), Reason::WrongShape),
        (metrics(&format!("\"a\":1}},\"x\":{}{{\"y\":1", "[".repeat(300))), Reason::MalformedJson),
        (metrics("\"a\":NaN"), Reason::NotFinite),
        (metrics("\"a\":-Infinity"), Reason::NotFinite),
        (metrics("\"a\":1e999"), Reason::NotFinite),
        ("{}".into(), Reason::NoMetrics),
        (metrics(""), Reason::NoMetrics),
        (metrics("\"a\":null"), Reason::NoMetrics),
        ("[]".into(), Reason::NoMetrics),
        ("5".into(), Reason::WrongShape),
        ("[5]".into(), Reason::WrongShape),
        (r#"{"metrics":[1]}"#.into(), Reason::WrongShape),
        (r#"{"ts":[],"metrics":{"a":1}}"#.into(), Reason::WrongShape),
        (r#"{"ts":"soon","metrics":{"a":1}}"#.into(), Reason::BadTime),
        (r#"{"ts":1e30,"metrics":{"a":1}}"#.into(), Reason::BadTime),
        (r#"{"metrics":{"a":1},"metrics":{"b":1}}"#.into(), Reason::DuplicateKey),
        (metrics("\"\":1"), Reason::BadKey),
        (metrics("\"a b\":1"), Reason::BadKey),
        (metrics("\"\\u00e9\":1"), Reason::BadKey),
        (metrics(&format!("\"{}\":1", "k".repeat(65))), Reason::BadKey),
        (r#"{"ports":{"one":{"a":1}}}"#.into(), Reason::BadKey),
        (r#"{"ports":{"1":5}}"#.into(), Reason::WrongShape),
        (r#"{"ports":{"1":{}}}"#.into(), Reason::NoMetrics),
        (metrics("\"a\":{\"b\":1}"), Reason::NestedValue),
        (metrics("\"a\":[1]"), Reason::NestedValue),
        (metrics(&format!("\"a\":\"{}\"", "x".repeat(1_025))), Reason::TextTooLong),
        (metrics(&many(257)), Reason::TooManyMetrics),
        (format!("[{}]", vec![metrics("\"a\":1"); 1_001].join(",")), Reason::TooManyReadings),
    ];
    for (payload, expected) in table {
        assert_eq!(reason(&payload), Some(expected), "{:.100}", payload);
    }
    assert_eq!(check(b"{\"metrics\":{\"a\":\"\xff\"}}").unwrap_err().reason, Reason::MalformedJson);
    assert_eq!(reason(&metrics(&many(256))), None);
    assert_eq!(reason(&metrics(&format!("\"{}\":1", "k".repeat(64)))), None);
}

#[test]
fn readings_of_an_array_arrive_a_microsecond_apart_and_the_last_at_the_time_of_arrival() {
    let behind = |index, count| (received_at() - arrival_of(index, count, received_at())).num_microseconds();
    assert_eq!([behind(0, 1), behind(0, 3), behind(1, 3), behind(2, 3)], [0, 2, 1, 0].map(Some));
    assert_eq!(check(br#"[{"metrics":{"a":1}},{"ts":7,"metrics":{"a":1}}]"#), Ok(2));
}

#[test]
fn the_texts_of_readings_are_cut_out_of_their_array() {
    let array = br#" [{"metrics":{"a":"]"}}, {"metrics": {"a":1}}]"#;
    assert_eq!(texts_of(array), [&br#"{"metrics":{"a":"]"}}"#[..], &br#"{"metrics": {"a":1}}"#[..]]);
    assert!(texts_of(br#"{"metrics":{"a":1}}"#).is_empty());
}

#[test]
fn whole_numbers_that_a_float_cannot_hold_are_uncertain() {
    let flaws = |value: &str| {
        let payload = format!(r#"{{"x":1e300,"metrics":{{"z":1,"a":{value}}},"ports":{{"1":{{"v":{value}}}}}}}"#);
        let reading = parse(payload.as_bytes()).unwrap().remove(0);
        let checked = validate(reading, received_at(), None, &ClockBounds::default()).unwrap();
        let number: f64 = value.parse().unwrap();
        assert_eq!(checked.numbers, [number, number, 1.0], "{value}");
        checked.flaws
    };
    let uncertain = ["1.v", "a"].map(|key| (key.to_owned(), Quality::Uncertain));
    let limit = "9007199254740992";
    for exact in [limit, "-9007199254740992", "18446744073709551616", "-9223372036854775808", "1e300", "1e22", "2.5"] {
        assert_eq!(flaws(exact), [], "{exact}");
    }
    for rounded in
        ["9007199254740993", "-9007199254740993", "18446744073709551615", "18446744073709551617", &"1".repeat(300)]
    {
        assert_eq!(flaws(rounded), uncertain, "{rounded}");
    }
}

#[test]
fn a_rounded_number_outside_its_range_has_one_flaw() {
    let reading = checked(r#"{"metrics":{"temp":9007199254740993}}"#, UnknownMetrics::Keep).unwrap();
    assert_eq!(reading.flaws, [("temp".to_owned(), Quality::Uncertain)]);
}

#[test]
fn a_payload_with_a_huge_number_is_parsed_like_any_other() {
    let huge = r#"[{"metrics":{"big":1e300,"s":"a\"b","t":true,"n":null,"i":3}},{"ts":1706370000,"metrics":{"i":4}}]"#;
    let small = huge.replace("1e300", "1.5");
    let strip = |payload: &str| {
        let mut readings = Vec::<(Option<DateTime<Utc>>, Vec<_>)>::new();
        for reading in parse(payload.as_bytes()).unwrap() {
            let metrics = reading.metrics.iter().filter(|(key, _)| key != "big");
            let shown = metrics.map(|(key, value)| (key.to_string(), format!("{value:?}"))).collect();
            readings.push((reading.measured_at, shown));
        }
        readings
    };
    assert_eq!(strip(huge), strip(&small));
    assert_eq!(reason(r#"[{"metrics":{"a":1e300}},{"metrics":{"b":[1]}}]"#), Some(Reason::NestedValue));
}

#[test]
fn codes_are_unique() {
    let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Reason::ALL.len());
}

fn definition(key: &str, kind: ValueKind, required: bool) -> MetricDefinition {
    MetricDefinition { key: key.into(), kind, unit: None, minimum: Some(0.0), maximum: Some(100.0), required }
}

fn device_type(unknown_metrics: UnknownMetrics) -> DeviceTypeEntry {
    let metrics = vec![
        definition("mode", ValueKind::Text, false),
        definition("on", ValueKind::Boolean, false),
        definition("temp", ValueKind::Number, true),
    ];
    DeviceTypeEntry { metrics, unknown_metrics, converter: None }
}

fn checked<'a>(payload: &'a str, unknown: UnknownMetrics) -> Result<Checked<'a>, Reason> {
    let reading = parse(payload.as_bytes()).unwrap().remove(0);
    let device_type = device_type(unknown);
    validate(reading, received_at(), Some(&device_type), &ClockBounds::default()).map_err(|refusal| refusal.reason)
}

#[test]
fn a_validated_reading_is_sorted_and_split_by_kind() {
    let reading = checked(r#"{"metrics":{"z":1,"temp":101,"on":false,"mode":"eco"}}"#, UnknownMetrics::Keep).unwrap();
    assert_eq!(reading.measured_at, received_at());
    assert_eq!((reading.keys, reading.numbers), (vec!["temp".into(), "z".into()], vec![101.0, 1.0]));
    let others = [("mode".to_owned(), MetricValue::Text("eco".into())), ("on".to_owned(), MetricValue::Boolean(false))];
    assert_eq!(reading.others, others);
    assert_eq!(reading.flaws, [("temp".to_owned(), Quality::Uncertain)]);
}

#[test]
fn a_reading_that_violates_the_device_type_is_rejected() {
    let table = [
        (r#"{"metrics":{"temp":"25"}}"#, Reason::NotANumber),
        (r#"{"metrics":{"temp":true}}"#, Reason::NotANumber),
        (r#"{"metrics":{"temp":1,"on":1}}"#, Reason::NotABoolean),
        (r#"{"metrics":{"temp":1,"mode":1}}"#, Reason::NotAText),
        (r#"{"metrics":{"on":true}}"#, Reason::MissingMetric),
        (r#"{"metrics":{"a":1}}"#, Reason::UnknownMetric),
        (r#"{"metrics":{"temp":1,"z":1}}"#, Reason::UnknownMetric),
        (r#"{"metrics":{"temp":1,"on":true,"temp":2}}"#, Reason::DuplicateKey),
    ];
    for (payload, expected) in table {
        assert_eq!(checked(payload, UnknownMetrics::Refuse), Err(expected), "{payload}");
    }
}

#[test]
fn times_outside_the_clock_bounds_are_rejected() {
    let at = |offset: TimeDelta| {
        let payload = format!(r#"{{"ts":{},"metrics":{{"temp":1}}}}"#, (received_at() + offset).timestamp_millis());
        let reading = parse(payload.as_bytes()).unwrap().remove(0);
        validate(reading, received_at(), None, &ClockBounds::default()).map_err(|refusal| refusal.reason).map(drop)
    };
    assert_eq!(at(TimeDelta::minutes(5)), Ok(()));
    assert_eq!(at(TimeDelta::minutes(5) + TimeDelta::milliseconds(1)), Err(Reason::ClockTooLate));
    let kept = received_at() - received_at().date_naive().and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(365);
    assert_eq!(at(-kept), Ok(()));
    assert_eq!(at(-kept - TimeDelta::milliseconds(1)), Err(Reason::ClockTooEarly));
    assert_eq!(checked(r#"{"ts":0,"metrics":{"temp":1}}"#, UnknownMetrics::Keep), Err(Reason::ClockTooEarly));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_cause_a_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&payload);
    }

    #[test]
    fn every_finite_number_round_trips(values in prop::collection::btree_map("[a-z]{1,8}", -1e300..1e300f64, 1..20)) {
        let payload = serde_json::json!({"metrics": values}).to_string();
        let reading = parse(payload.as_bytes()).unwrap().remove(0);
        let checked = validate(reading, received_at(), None, &ClockBounds::default()).unwrap();
        prop_assert_eq!(checked.keys.iter().map(|key| key.to_string()).collect::<Vec<_>>(), values.keys().cloned().collect::<Vec<_>>());
        prop_assert_eq!(checked.numbers, values.values().copied().collect::<Vec<_>>());
    }
}
