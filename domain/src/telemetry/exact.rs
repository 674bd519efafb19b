//! Tells the whole numbers that a 64-bit float holds exactly from those that it rounds.

/// A float from this one on, 2^63, may be a whole number beyond 64 bits, which serde_json reads as a float.
pub(crate) const BEYOND_INTEGERS: f64 = 9_223_372_036_854_775_808.0;

/// Returns whether a 64-bit float holds the number exactly, as it does all up to 2^53.
pub(crate) fn is_exact(number: i128) -> bool {
    (number as f64) as i128 == number
}

/// Returns whether `number` is what the literal says, if that is a whole number. Literals with a fraction or an exponent
/// always are: they are meant as floats.
pub(crate) fn is_as_written(literal: &str, number: f64) -> bool {
    let digits = literal.trim_start_matches(['-', '+']).trim_start_matches('0');
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    // Rust prints every digit of a float.
    !is_whole || format!("{:.0}", number.abs()).trim_start_matches('0') == digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_up_to_2_to_the_53_and_where_the_lowest_bits_are_zero() {
        let limit = 1_i128 << 53;
        for exact in [0, 1, -limit, limit - 1, limit, limit + 2, 1 << 63, 1 << 64, i128::from(i64::MIN)] {
            assert!(is_exact(exact), "{exact}");
        }
        for rounded in [limit + 1, -limit - 1, i128::from(u64::MAX), i128::from(i64::MAX)] {
            assert!(!is_exact(rounded), "{rounded}");
        }
    }

    #[test]
    fn a_literal_of_digits_is_compared_digit_by_digit() {
        let read = |text: &str| is_as_written(text, text.parse().unwrap());
        for exact in ["0", "-0", "007", "+7", "18446744073709551616", "-10000000000000000000000", "0.1", "1e300"] {
            assert!(read(exact), "{exact}");
        }
        for rounded in ["9007199254740993", "-18446744073709551617", "100000000000000000000000", &"9".repeat(400)] {
            assert!(!read(rounded), "{rounded}");
        }
    }
}
