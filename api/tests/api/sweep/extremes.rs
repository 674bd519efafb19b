//! The extreme values of a schema: least, greatest, next to each bound, empty, longest, every Unicode plane.

use serde_json::{Value, json};

use crate::times::TIMES;

/// A value to send in place of a field.
#[derive(Clone, Debug)]
pub enum Extreme {
    /// A JSON value.
    Json(Value),
    /// JSON text that has no value of its own here, such as `1e400`.
    Raw(&'static str),
}

/// A text with a character of each plane, combining and unnormalised forms, bidirectional controls, control characters
/// and characters that look like white space or nothing at all.
pub fn every_plane() -> String {
    let planes = (0..=16u32).filter_map(|plane| char::from_u32((plane << 16) + 0xa123));
    let last = ['\u{fdd0}', '\u{fffd}', '\u{fffe}', '\u{ffff}', '\u{10ffff}'];
    let marks = "e\u{301}\u{e9}\u{ac00}\u{1100}\u{1161}\u{202e}abc\u{202c}\u{2066}\u{2069}\u{200b}\u{feff}\u{2028}";
    let controls = (1..0x20u32).chain([0x7f, 0x85, 0x9f]).filter_map(char::from_u32);
    let quotes = "\"'\\%_$1;--\u{ad}I\u{307}\u{df}";
    let all = planes.chain(last).chain(marks.chars()).chain(controls).chain(quotes.chars());
    // Letters at both ends, because surrounding white space may be removed.
    std::iter::once('a').chain(all).chain(['z']).collect()
}

/// Returns the extremes of a schema.
pub fn of(schema: &Value) -> Vec<Extreme> {
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().cloned();
        return words.chain([json!(""), json!("\u{0}"), json!(every_plane())]).map(Extreme::Json).collect();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("boolean"), _) => [json!(true), json!(false)].map(Extreme::Json).into(),
        (Some("string"), Some("uuid")) => uuids(),
        (Some("string"), Some("date-time")) => times(),
        (Some("string"), _) => texts(schema),
        (Some("integer" | "number"), _) => numbers(schema),
        (Some("array"), _) => vec![],
        _ => free(),
    }
}

fn uuids() -> Vec<Extreme> {
    let long = "0".repeat(10_000);
    let texts = [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "",
        "\u{0}",
        "\u{ff10}0000000-0000-0000-0000-000000000000",
        &long,
    ];
    texts.into_iter().map(|text| Extreme::Json(json!(text))).collect()
}

fn times() -> Vec<Extreme> {
    TIMES.iter().map(|text| Extreme::Json(json!(text))).collect()
}

fn texts(schema: &Value) -> Vec<Extreme> {
    let length = |name: &str| schema[name].as_u64().map(|length| usize::try_from(length).unwrap());
    let most = length("maxLength");
    let cut = |text: String| text.chars().take(most.unwrap_or(usize::MAX)).collect::<String>();
    let mut texts = vec![
        String::new(),
        " ".into(),
        "\u{0}".into(),
        "a\u{0}b".into(),
        cut(every_plane()),
        cut("\u{a0} padded\t\u{3000}".into()),
        cut("1e999".into()),
    ];
    match most {
        Some(most) => texts.extend(["\u{1f600}".repeat(most), "x".repeat(most + 1)]),
        None => texts.extend(["x".repeat(70_000), "\u{1f600}".repeat(150_000), "x".repeat(1_000_000)]),
    }
    if let Some(least) = length("minLength").filter(|least| *least > 1) {
        texts.extend(["x".repeat(least - 1), "x".repeat(least)]);
    }
    let mut all: Vec<Extreme> = texts.into_iter().map(|text| Extreme::Json(json!(text))).collect();
    all.push(Extreme::Raw("\"\\ud800\""));
    all
}

fn numbers(schema: &Value) -> Vec<Extreme> {
    let mut numbers: Vec<Value> = vec![
        json!(0),
        json!(1),
        json!(-1),
        json!(i32::MAX),
        json!(i64::from(i32::MAX) + 1),
        json!(i32::MIN),
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(0.1),
        json!(-0.0),
        json!(f64::MAX),
        json!(f64::MIN),
        json!(f64::MIN_POSITIVE),
        json!(5e-324),
        json!(9_007_199_254_740_991_u64),
    ];
    for bound in ["minimum", "maximum"].iter().filter_map(|name| schema[*name].as_f64()) {
        let whole = schema["type"] == "integer";
        let near = if whole { [bound - 1.0, bound, bound + 1.0] } else { [bound.next_down(), bound, bound.next_up()] };
        numbers.extend(near.map(|value| if whole { json!(value as i64) } else { json!(value) }));
    }
    let mut all: Vec<Extreme> = numbers.into_iter().map(Extreme::Json).collect();
    all.extend(["1e400", "-1e400", "100000000000000000000", "1E2"].map(Extreme::Raw));
    all
}

fn free() -> Vec<Extreme> {
    let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let mut values: Vec<Extreme> = [
        json!(""),
        json!("\u{0}"),
        json!({"a\u{0}": 1}),
        json!({"a": [{"b": "\u{0}"}]}),
        json!({"": {"": ""}}),
        json!({(every_plane()): every_plane()}),
        json!([]),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(f64::MAX),
        json!(5e-324),
        json!(-0.0),
        json!(9_007_199_254_740_993_u64),
        json!("x".repeat(1_000_000)),
        deep(100),
    ]
    .map(Extreme::Json)
    .into();
    values.extend(["1e400", "\"\\udfff\"", "{\"a\":1,\"a\":2}", "[1e-400]"].map(Extreme::Raw));
    values
}

/// Returns objects with extreme keys.
pub fn keys() -> Vec<Extreme> {
    let keys = [String::new(), "\u{0}".into(), "a.b".into(), "__proto__".into(), every_plane(), "x".repeat(10_000)];
    keys.into_iter().map(|key| Extreme::Json(json!({key: 1}))).collect()
}
