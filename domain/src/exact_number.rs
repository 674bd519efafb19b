//! JSON numbers that keep every digit of their text.

use serde_json::Number;

/// Reads a JSON number; `None` if the text is none, or if the stored number would be another than the text writes.
/// Stored are whole numbers of 64 bits and 64-bit floats, which are written with at most 17 digits.
pub fn exact_number(text: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(text).ok()?;
    (decimal(&number.to_string())? == decimal(text)?).then_some(number)
}

/// Returns whether a JSON number is negative, its digits without zeros at either end, and their exponent.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let text = text.trim();
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some((is_negative, String::new(), 0));
    }
    let trimmed = i64::try_from(digits.len() - kept.len()).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_add(trimmed)?.checked_sub(fraction)?;
    Some((is_negative, kept.to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_exact_if_it_is_written_with_the_same_digits() {
        for exact in [
            "0",
            "-0",
            "7",
            "-7",
            "0.1",
            "3.50",
            "1e5",
            "1E+5",
            "100000.0",
            "9007199254740993",
            "-9223372036854775808",
            "18446744073709551615",
            "1e22",
            "1.7976931348623157e308",
            "5e-324",
            "0e999999999999999999999",
            "0.30000000000000004",
        ] {
            assert!(exact_number(exact).is_some(), "{exact}");
        }
        for inexact in [
            "89490200001234567895",
            "18446744073709551616",
            "-9223372036854775809",
            "9007199254740993.0",
            "1e999",
            "1e-999",
            "0.1234567890123456789",
            "1.0000000000000000001",
            "123456789012345678901234567890",
            "1e99999999999999999999",
        ] {
            assert!(exact_number(inexact).is_none(), "{inexact}");
        }
        for other in ["", "007", "+7", "NaN", "1.", ".5", "0x10", "1_000", "١", "true", "\"7\"", "1 2"] {
            assert!(exact_number(other).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_stored_number_is_exact_as_it_is_written(float: f64, whole: u64, negative: i64) {
            let numbers = [Number::from_f64(float), Some(whole.into()), Some(negative.into())];
            for number in numbers.into_iter().flatten() {
                prop_assert_eq!(exact_number(&number.to_string()), Some(number));
            }
        }

        #[test]
        fn whole_numbers_beyond_64_bits_are_exact_only_if_a_float_writes_the_same_digits(digits in "[1-9][0-9]{20,40}") {
            let float = digits.parse::<f64>().unwrap();
            prop_assert_eq!(exact_number(&digits).is_some(), format!("{float}") == digits);
        }
    }
}
