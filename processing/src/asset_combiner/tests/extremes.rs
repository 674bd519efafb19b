//! Values near the greatest float.

use super::*;

/// Keeps the newest `t` of a motor.
fn backed_by_t() -> Value {
    json!({"derived_metrics": [{"key": "half", "formula": "t / 2"}]})
}

#[test]
fn a_sum_of_children_beyond_the_greatest_float_is_a_flaw_with_its_reason() {
    let mut line = total("t", "sum");
    line["combination"]["composites"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "mean", "of": "t", "aggregation": "avg"}));
    line["derived_metrics"] = json!([{"key": "twice", "formula": "total * 2"}]);
    let (directory, mut log) = (plant(backed_by_t(), line, json!({})), MemoryLog::default());
    let sent = [
        direct(MOTOR, 1, &[("t", f64::MAX)]),
        direct(OTHER_MOTOR, 2, &[("t", f64::MAX)]),
        direct(OTHER_MOTOR, 3, &[("t", 1.0)]),
    ];
    for one in sent {
        store(&directory, &mut log, &[one]);
        (0..2).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    }
    let of_line = computed(&log).into_iter().filter(|(of, ..)| *of == LINE);
    let seen: Vec<_> = of_line.map(|(_, second, numbers, _, flaws)| (second, numbers, flaws)).collect();
    let reason = |key: &str, reason: &str| (key.to_owned(), reason.to_owned());
    let not_finite = "the result is not a finite number";
    let expected = [
        (1, vec![number("mean", f64::MAX), number("total", f64::MAX)], vec![reason("twice", not_finite)]),
        (2, vec![number("mean", f64::MAX)], vec![reason("total", not_finite), reason("twice", "total has no value")]),
        (3, vec![number("mean", f64::MAX / 2.0), number("total", f64::MAX)], vec![reason("twice", not_finite)]),
    ];
    assert_eq!(seen, expected);
}
