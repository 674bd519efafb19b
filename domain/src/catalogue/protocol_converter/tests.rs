//! Tests of the validation and execution of protocol converters.

use serde_json::{Value, json};

use super::*;
use crate::catalogue::Definition;
use crate::device_type::{MetricDefinition, ValueKind};

fn definition(rules: Value, more: Value) -> ConverterDefinition {
    let mut all = json!({"name": "C", "source_protocol": "modbus", "rules": rules, "is_active": true});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn hex() -> Value {
    json!({"frame": {"encoding": "hex", "path": "/data"}})
}

fn convert(rules: Value, more: Value, payload: &str) -> Conversion {
    Converter::new(definition(rules, more).checked().unwrap()).convert(payload.as_bytes())
}

fn register(kind: &str, endianness: &str) -> Value {
    json!([{"target": "v", "source": {"register": {"offset": 0, "kind": kind, "endianness": endianness}}}])
}

#[test]
fn registers_are_read_in_every_byte_order() {
    let table = [
        ("u16", "big", "0102", 258.0),
        ("u16", "little", "0201", 258.0),
        ("i16", "big", "fffe", -2.0),
        ("u8", "big", "ff", 255.0),
        ("i8", "big", "ff", -1.0),
        ("u32", "big", "00010203", 66051.0),
        ("u32", "little", "03020100", 66051.0),
        ("u32", "big_word_swapped", "02030001", 66051.0),
        ("u32", "little_word_swapped", "01000302", 66051.0),
        ("i32", "big", "ffffffff", -1.0),
        ("f32", "big", "41480000", 12.5),
        ("f32", "big_word_swapped", "00004148", 12.5),
        ("f64", "big", "4029000000000000", 12.5),
        ("i64", "little", "feffffffffffffff", -2.0),
        ("u64", "big", "0000000000000009", 9.0),
    ];
    for (kind, endianness, bytes, expected) in table {
        let payload = json!({"data": bytes}).to_string();
        let conversion = convert(register(kind, endianness), hex(), &payload);
        assert_eq!(conversion.reading["metrics"]["v"], json!(expected), "{kind} {endianness}: {conversion:?}");
    }
}

#[test]
fn a_meter_payload_is_converted_by_scale_bit_path_and_formula() {
    let rules = json!([
        {"target": "voltage", "source": {"register": {"offset": 0, "kind": "u16", "scale": 0.1}}, "required": true},
        {"target": "current", "source": {"register": {"offset": 2, "kind": "i16"}}, "formula": "x / 100"},
        {"target": "alarm", "source": {"register": {"offset": 4, "kind": "u16", "bit": 3}}},
        {"target": "power", "formula": "round(voltage * current)"},
        {"target": "mode", "source": {"path": "/meta/mode"}},
        {"target": "celsius", "source": {"path": "/meta/f"}, "formula": "(x - 32) / 1.8"}
    ]);
    let more = json!({"frame": {"encoding": "base64", "path": "/data"}, "time_path": "/at"});
    let data = data_encoding::BASE64.encode(&[0x08, 0xfc, 0x01, 0xf4, 0x00, 0x08]);
    let payload = json!({"at": 1_769_600_000, "data": data, "meta": {"mode": "auto", "f": "50"}}).to_string();
    let conversion = convert(rules, more, &payload);
    assert_eq!((conversion.errors, conversion.refused), (vec![], false));
    let metrics =
        json!({"voltage": 230.0, "current": 5.0, "alarm": 1.0, "power": 1150.0, "mode": "auto", "celsius": 10.0});
    let rounded = conversion.reading["metrics"]["voltage"].as_f64().unwrap();
    assert!((rounded - 230.0).abs() < 1e-9);
    let mut reading = conversion.reading.clone();
    reading["metrics"]["voltage"] = json!(230.0);
    assert_eq!(reading, json!({"ts": 1_769_600_000, "metrics": metrics}));
}

#[test]
fn a_binary_or_encoded_payload_need_not_be_json() {
    let rules = register("u16", "big");
    let text = convert(rules.clone(), json!({"frame": {"encoding": "hex"}}), " 0102\n");
    assert_eq!(text.reading["metrics"]["v"], json!(258.0), "{text:?}");
    let binary = Converter::new(definition(rules, json!({"frame": {"encoding": "binary"}}))).convert(&[1, 2, 0xff]);
    assert_eq!(binary.reading, json!({"metrics": {"v": 258.0}}));
}

#[test]
fn errors_are_reported_per_rule() {
    let rules = json!([
        {"target": "a", "source": {"path": "/a"}},
        {"target": "b", "source": {"path": "/b"}, "formula": "1 / x"},
        {"target": "c", "formula": "a + 1"},
        {"target": "d", "source": {"register": {"offset": 9, "kind": "u16"}}},
        {"target": "e", "source": {"path": "/e"}}
    ]);
    let conversion = convert(rules.clone(), hex(), &json!({"b": 0, "data": "00", "e": {}}).to_string());
    let said: Vec<_> = conversion.errors.iter().map(|error| (error.rule.unwrap(), error.message.as_str())).collect();
    let expected = [
        (0, "there is no value at /a"),
        (1, "the result is not a finite number"),
        (2, "a has no value"),
        (3, "the frame ends after 1 bytes"),
        (4, "the value at /e is null, an object or an array"),
    ];
    assert_eq!((said.as_slice(), conversion.refused), (&expected[..], false));
    assert_eq!(conversion.reading, json!({"metrics": {}}));
    let no_json = convert(rules, hex(), "<xml/>");
    assert!(no_json.errors[0].message.contains("not JSON"), "{no_json:?}");
    let odd = convert(register("u16", "big"), hex(), &json!({"data": "0x1"}).to_string());
    assert!(odd.errors[0].message.contains("not hexadecimal"), "{odd:?}");
    let nan = convert(register("f32", "big"), hex(), &json!({"data": "7fc00000"}).to_string());
    assert!(nan.errors[0].message.contains("not hold a finite number"), "{nan:?}");
}

#[test]
fn whole_numbers_that_a_float_cannot_hold_are_not_changed_silently() {
    let rules = json!([
        {"target": "path", "source": {"path": "/a/0"}},
        {"target": "formula", "source": {"path": "/a/0"}, "formula": "x * 1"},
        {"target": "later", "formula": "path + 0"},
        {"target": "register", "source": {"register": {"offset": 0, "kind": "u64"}}},
        {"target": "bit", "source": {"register": {"offset": 0, "kind": "u64", "bit": 0}}},
        {"target": "exact", "source": {"path": "/b~1c"}},
        {"target": "text", "source": {"path": "/text"}},
        {"target": "number", "formula": "text"}
    ]);
    for (whole, exact) in
        [("18446744073709551617", "1e300"), ("9007199254740993", "9007199254740992"), ("-9007199254740993", "2.5")]
    {
        let payload = format!(r#"{{"a":[{whole}],"b/c":{exact},"text":"{whole}","data":"0020000000000001"}}"#);
        let conversion = convert(rules.clone(), hex(), &payload);
        let rounded: Vec<_> = conversion.rounded.iter().map(String::as_str).collect();
        assert_eq!(rounded, ["formula", "later", "number", "path", "register"], "{conversion:?}");
        assert_eq!(conversion.reading["metrics"]["text"], json!(whole));
        assert_eq!(conversion.errors, []);
    }
    assert_eq!(convert(register("i64", "big"), hex(), r#"{"data":"ffdfffffffffffff"}"#).rounded.len(), 1);
    assert!(convert(register("i64", "big"), hex(), r#"{"data":"ffe0000000000000"}"#).rounded.is_empty());
}

#[test]
fn a_missing_required_metric_or_a_schema_violation_rejects_the_payload() {
    let rule = |required: bool| json!([{"target": "a", "source": {"path": "/a"}, "required": required}]);
    assert!(convert(rule(true), json!({}), "{}").refused);
    assert!(!convert(rule(false), json!({}), "{}").refused);
    let declared = |key: &str, kind: &str| json!({"target_schema": [{"key": key, "kind": kind, "required": true}]});
    assert!(convert(rule(false), declared("a", "number"), "{}").refused);
    assert!(!convert(rule(false), declared("a", "number"), "{\"a\": 1}").refused);
    let text = convert(rule(false), declared("a", "number"), "{\"a\": \"x\"}");
    assert_eq!((text.errors[0].rule, text.refused), (None, true));
    let other = convert(rule(false), declared("b", "number"), "{\"a\": 1}");
    assert_eq!(other.errors.len(), 2, "{other:?}");
}

#[test]
fn a_large_payload_is_converted_like_a_small_one() {
    let payload = format!("{{\"a\": 1, \"blob\": \"{}\"}}", "x".repeat(10 << 20));
    let conversion = convert(json!([{"target": "a", "source": {"path": "/a"}}]), json!({}), &payload);
    assert_eq!(conversion.reading, json!({"metrics": {"a": 1}}));
}

#[test]
fn an_invalid_definition_is_rejected() {
    let path = json!([{"target": "a", "source": {"path": "/a"}}]);
    let problem = |rules: Value, more: Value| match definition(rules, more).checked() {
        Err(Refusal::InvalidRule { index, problem }) => format!("{index}: {problem}"),
        other => format!("{other:?}"),
    };
    let table = [
        (json!([{"target": "a b", "source": {"path": "/a"}}]), json!({}), "0: target \"a b\" is not a metric key"),
        (json!([{"target": "a"}]), json!({}), "0: a source or a formula is required"),
        (json!([{"target": "a", "source": {"path": "a"}}]), json!({}), "0: \"a\" is not a JSON pointer"),
        (json!([{"target": "a", "formula": "b"}]), json!({}), "0: \"b\" is neither x nor"),
        (json!([{"target": "a", "formula": "x"}]), json!({}), "0: \"x\" is neither x nor"),
        (json!([{"target": "a", "formula": "1 +"}]), json!({}), "0: the formula does not parse"),
        (register("u16", "big"), json!({}), "0: a register requires a frame"),
        (path.clone(), json!({"frame": {"encoding": "binary"}}), "0: a binary payload has no JSON paths"),
        (
            json!([{"target": "a", "source": {"path": "/a"}}, {"target": "a", "source": {"path": "/b"}}]),
            json!({}),
            "1: target \"a\" is already set by an earlier rule",
        ),
        (
            json!([{"target": "a", "source": {"register": {"offset": 70000, "kind": "u16"}}}]),
            hex(),
            "0: the offset must be",
        ),
        (
            json!([{"target": "a", "source": {"register": {"offset": 0, "kind": "u16", "bit": 16}}}]),
            hex(),
            "0: there is no bit 16",
        ),
        (
            json!([{"target": "a", "source": {"register": {"offset": 0, "kind": "f32", "bit": 1}}}]),
            hex(),
            "0: there is no bit 1",
        ),
        (
            json!([{"target": "a", "source": {"register": {"offset": 0, "kind": "u16", "scale": 0.0}}}]),
            hex(),
            "0: the scale must be",
        ),
    ];
    for (rules, more, expected) in table {
        let said = problem(rules, more);
        assert!(said.starts_with(expected), "{said}");
    }
    let of = |more: Value| definition(path.clone(), more).checked().unwrap_err();
    assert_eq!(of(json!({"name": ""})), Refusal::InvalidName);
    assert_eq!(of(json!({"time_path": "at"})), Refusal::InvalidPath { of_frame: false, path: "at".into() });
    assert_eq!(definition(json!([]), json!({})).checked(), Err(Refusal::RuleCount));
    let metric = |minimum, maximum| MetricDefinition {
        key: "a".into(),
        kind: ValueKind::Number,
        unit: None,
        minimum,
        maximum,
        required: false,
    };
    for schema in [vec![metric(None, None), metric(None, None)], vec![metric(Some(2.0), Some(1.0))]] {
        let refused = ConverterDefinition { target_schema: schema, ..definition(path.clone(), json!({})) }.checked();
        assert_eq!(refused, Err(Refusal::InvalidSchema { key: "a".into() }));
    }
}
