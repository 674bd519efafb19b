//! Formulas over metrics, such as `voltage * current / 1000`: parsed once, evaluated in bounded time.

use std::collections::BTreeSet;
use std::fmt;

use fasteval2::{Compiler, EmptyNamespace, Error as Cause, Evaler, Instruction, Parser, Slab};

/// Maximum length of a formula, characters.
pub const MAX_FORMULA_CHARS: usize = 1000;
/// Maximum nesting of brackets and functions.
const MAX_DEPTH: usize = 32;

/// A parsed formula.
pub struct Formula {
    slab: Slab,
    compiled: Instruction,
    names: BTreeSet<String>,
}

/// Why a formula does not parse or has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// The formula is empty or too long.
    #[error("a formula must have 1 to {MAX_FORMULA_CHARS} characters")]
    Length,
    /// The syntax is invalid.
    #[error("the formula does not parse: {0}")]
    Unreadable(String),
    /// A metric that the formula uses has no value.
    #[error("{0} has no value")]
    NoValue(String),
    /// The result is not finite, for example because of a division by zero.
    #[error("the result is not a finite number")]
    NotFinite,
}

impl Formula {
    /// Parses a formula. It may use numbers, `+ - * / % ^`, comparisons (1 or 0), `&& || !`, brackets, and the
    /// functions `abs`, `ceil`, `floor`, `round`, `int`, `sign`, `min`, `max`, `log`, `sin`, `cos`, `tan`, `asin`,
    /// `acos`, `atan`, `sinh`, `cosh`, `tanh`, `asinh`, `acosh`, `atanh`, `e()` and `pi()`.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_FORMULA_CHARS {
            return Err(FormulaError::Length);
        }
        // fasteval2 has a built-in `print` function that writes to standard error; reject it.
        let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if words.any(|word| word == "print") {
            return Err(FormulaError::Unreadable("there is no function print".to_owned()));
        }
        let mut slab = Slab::new();
        // The library limits bytes, and a character of UTF-8 has up to 4 of them.
        let parser = Parser { expr_len_limit: 4 * MAX_FORMULA_CHARS, expr_depth_limit: MAX_DEPTH };
        let expression = parser.parse(text, &mut slab.ps).map_err(|error| unreadable(&error))?;
        let compiled = expression.from(&slab.ps).compile(&slab.ps, &mut slab.cs, &mut EmptyNamespace);
        let names = compiled.var_names(&slab);
        Ok(Self { slab, compiled, names })
    }

    /// Returns the names of the metrics that it uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Returns the result for the values that `value_of` returns.
    pub fn evaluate(&self, value_of: impl Fn(&str) -> Option<f64>) -> Result<f64, FormulaError> {
        let mut missing = None;
        let mut look_up = |name: &str, arguments: Vec<f64>| {
            // The library also asks for unknown functions; they have no value.
            let value = if arguments.is_empty() { value_of(name) } else { None };
            if value.is_none() {
                missing.get_or_insert_with(|| name.to_owned());
            }
            value
        };
        let result = self.compiled.eval(&self.slab, &mut look_up);
        match (missing, result) {
            (Some(name), _) => Err(FormulaError::NoValue(name)),
            (None, Ok(number)) if number.is_finite() => Ok(number),
            (None, Ok(_)) => Err(FormulaError::NotFinite),
            (None, Err(error)) => Err(unreadable(&error)),
        }
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Formula").field("names", &self.names).finish_non_exhaustive()
    }
}

fn unreadable(error: &Cause) -> FormulaError {
    FormulaError::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(text: &str) -> Result<f64, FormulaError> {
        Formula::parse(text)?.evaluate(|name| match name {
            "voltage" => Some(230.0),
            "temp_1" => Some(20.0),
            "zero" => Some(0.0),
            _ => None,
        })
    }

    #[test]
    fn formulas_evaluate_like_arithmetic() {
        let table = [
            ("voltage * 2", 460.0),
            (" (temp_1 - 32) / 1.8 ", -6.666_666_666_666_667),
            ("max(temp_1, 3, 25)", 25.0),
            ("temp_1 > 10 && voltage < 300", 1.0),
            ("2 ^ 3 ^ 2", 512.0),
            ("abs(0 - 4)", 4.0),
        ];
        for (text, expected) in table {
            assert_eq!(result(text), Ok(expected), "{text}");
        }
        assert_eq!(Formula::parse("a * b + a").unwrap().names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_formula_without_a_result_returns_the_reason() {
        assert_eq!(result("1 / zero"), Err(FormulaError::NotFinite));
        assert_eq!(result("zero / zero"), Err(FormulaError::NotFinite));
        assert_eq!(result("humidity + 1"), Err(FormulaError::NoValue("humidity".to_owned())));
        assert_eq!(result("voltage(2)"), Err(FormulaError::NoValue("voltage".to_owned())));
        for wrong in ["1 +", "(1", "1 2", "print(1)", "a = 3", "\"x\""] {
            assert!(matches!(result(wrong), Err(FormulaError::Unreadable(_) | FormulaError::NoValue(_))), "{wrong}");
        }
        assert_eq!(result(" "), Err(FormulaError::Length));
        assert_eq!(result(&"1+".repeat(501)), Err(FormulaError::Length));
    }

    #[test]
    fn deeply_nested_and_long_formulas_terminate() {
        let deep = format!("{}1{}", "(".repeat(400), ")".repeat(400));
        assert!(matches!(result(&deep), Err(FormulaError::Unreadable(_))));
        let long = format!("1{}", "+1".repeat(499));
        assert_eq!(result(&long), Ok(500.0));
        assert!(result(&format!("{}1", "-".repeat(999))).is_ok_and(f64::is_finite) || result("-1").is_ok());
    }
}
