//! Values of the same time: the last to arrive counts.

use super::*;

#[test]
fn a_value_of_a_backup_counts_in_the_order_in_which_readers_see_it() {
    let motor = json!({"combination": {"takeover_after_seconds": 30}, "derived_metrics": [{"key": "twice", "formula": "t * 2"}]});
    let (directory, mut log) = (plant(motor, json!({}), json!({})), MemoryLog::default());
    let sent = [backup(MOTOR, 0, &[("t", 1.0)]), backup(MOTOR, 60, &[("t", 2.0)]), direct(MOTOR, 60, &[("t", 3.0)])];
    store(&directory, &mut log, &sent);
    (0..2).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    // The accepted value stands in the log behind the primary device's of the same time, so it arrived last.
    let twice: Vec<_> = computed(&log).into_iter().map(|(_, second, numbers, ..)| (second, numbers)).collect();
    assert_eq!(twice, [(60, vec![number("twice", 6.0)]), (60, vec![number("twice", 4.0)])]);
}

#[test]
fn a_corrected_value_of_the_same_time_is_computed_anew_and_a_repeated_one_is_not() {
    let (directory, mut log) = (plant(power(), total("power", "sum"), json!({})), MemoryLog::default());
    let sent = [
        direct(MOTOR, 9, &[("voltage", 10.0), ("current", 1.0)]),
        Sent(MOTOR, 9, 3, 1, vec![("voltage", 20.0)]),
        direct(MOTOR, 9, &[("voltage", 20.0), ("current", 1.0)]),
        direct(MOTOR, 8, &[("voltage", 30.0)]),
    ];
    store(&directory, &mut log, &sent);
    (0..2).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    let powers = |of: AssetId, at: usize| -> Vec<f64> {
        computed(&log).into_iter().filter(|(asset, ..)| *asset == of).map(|(_, _, numbers, ..)| numbers[at].1).collect()
    };
    assert_eq!(powers(MOTOR, 1), [10.0, 20.0]);
    assert_eq!(powers(LINE, 0).last(), Some(&20.0));
}

#[test]
fn the_last_of_the_childrens_values_of_one_time_is_the_last_to_arrive() {
    let (directory, mut log) = (plant(power(), total("voltage", "last"), json!({})), MemoryLog::default());
    let sent = [
        direct(OTHER_MOTOR, 1, &[("voltage", 1.0)]),
        direct(MOTOR, 1, &[("voltage", 2.0)]),
        direct(OTHER_MOTOR, 1, &[("voltage", 3.0)]),
        direct(MOTOR, 1, &[("current", 9.0)]),
    ];
    for one in sent {
        store(&directory, &mut log, &[one]);
        (0..2).for_each(|_| run(&directory, &mut log, &Plan::straight()));
    }
    let last = computed(&log).into_iter().rfind(|(of, ..)| *of == LINE).unwrap();
    assert_eq!(last.2, [number("total", 3.0)]);
}
