//! A sum of finite 64-bit floats whose mean is always finite. Two readings near the greatest float already overflow a
//! plain sum, although their mean is a float.

/// Numbers of at least this size are added in units of [`UNIT`]: 2^960.
const HUGE: f64 = f64::from_bits((1_023 + 960) << 52);
/// 2^64: dividing a huge number by it is exact.
const UNIT: f64 = 18_446_744_073_709_551_616.0;

/// A sum in two parts. Neither overflows with fewer than 2^63 numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FiniteSum {
    ordinary: f64,
    huge: f64,
}

impl FiniteSum {
    /// Adds a finite number.
    pub fn add(&mut self, number: f64) {
        if number.abs() < HUGE {
            self.ordinary += number;
        } else {
            self.huge += number / UNIT;
        }
    }

    /// Adds a number that is already divided by 2^64.
    pub fn add_divided(&mut self, divided: f64) {
        self.huge += divided;
    }

    /// Returns the sum, which is infinite if it is not a 64-bit float.
    pub fn total(self) -> f64 {
        self.ordinary + self.huge * UNIT
    }

    /// Returns the mean of `count` numbers with this sum.
    pub fn mean(self, count: f64) -> f64 {
        // Rounding may bring the mean of the greatest floats above them.
        (self.ordinary / count + self.huge / count * UNIT).clamp(f64::MIN, f64::MAX)
    }
}

impl FromIterator<f64> for FiniteSum {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        numbers.into_iter().fold(Self::default(), |mut sum, number| {
            sum.add(number);
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(numbers: &[f64]) -> FiniteSum {
        numbers.iter().copied().collect()
    }

    #[test]
    fn the_mean_of_the_greatest_floats_is_finite() {
        assert_eq!((HUGE, UNIT), (2f64.powi(960), 2f64.powi(64)));
        for count in 1..1000 {
            let mean = sum(&vec![f64::MAX; count]).mean(count as f64);
            assert!(mean.is_finite() && mean / f64::MAX > 1.0 - 1e-12, "{count}: {mean}");
        }
        assert_eq!(sum(&[f64::MAX, f64::MIN, 3.0]).mean(3.0), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, f64::MIN]).total(), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]).total(), f64::INFINITY);
        assert_eq!(sum(&[f64::MIN_POSITIVE, f64::from_bits(1)]).total(), f64::MIN_POSITIVE + f64::from_bits(1));
    }

    proptest! {
        #[test]
        fn ordinary_numbers_are_added_as_usual(numbers in prop::collection::vec(-1e12..1e12f64, 1..50)) {
            prop_assert_eq!(sum(&numbers).total(), numbers.iter().fold(0.0, |sum, number| sum + number));
        }

        #[test]
        fn no_mean_is_outside_of_its_numbers(numbers in prop::collection::vec(prop::num::f64::NORMAL, 1..50)) {
            let mean = sum(&numbers).mean(numbers.len() as f64);
            let least = numbers.iter().copied().fold(f64::MAX, f64::min);
            let greatest = numbers.iter().copied().fold(f64::MIN, f64::max);
            let slack = least.abs().max(greatest.abs()) * 1e-12;
            prop_assert!(mean >= least - slack && mean <= greatest + slack, "{} of {:?}", mean, numbers);
        }
    }
}
