//! Formulas over metrics, such as `voltage * current / 1000`: parsed once, evaluated in bounded time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fasteval2::{Compiler, EmptyNamespace, Error as Cause, Evaler, Instruction, Parser, Slab};

use crate::validation::is_metric_key;

/// Maximum length of a formula, characters.
pub const MAX_FORMULA_CHARS: usize = 1000;
/// Maximum nesting of brackets and functions.
const MAX_DEPTH: usize = 32;

/// A parsed formula.
pub struct Formula {
    slab: Slab,
    compiled: Instruction,
    names: BTreeSet<String>,
    quoted: Quoted,
}

/// The names in double quotes, by the plain names that stand for them, because the library knows only plain ones.
#[derive(Default)]
struct Quoted(BTreeMap<String, String>);

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
    /// Parses a formula. A metric is named by its key, in double quotes unless that consists of letters, digits and `_`
    /// and does not begin with a digit (`"1.v" * 2`); a name in quotes is never that of a function. The formula may use
    /// numbers, `+ - * / % ^`, comparisons (1 or 0), `&& || !`, brackets, and the functions `abs`, `ceil`, `floor`,
    /// `round`, `int`, `sign`, `min`, `max`, `log`, `sin`, `cos`, `tan`, `asin`, `acos`, `atan`, `sinh`, `cosh`, `tanh`,
    /// `asinh`, `acosh`, `atanh`, `e()` and `pi()`.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_FORMULA_CHARS {
            return Err(FormulaError::Length);
        }
        let (text, quoted) = Quoted::take_from(text)?;
        // fasteval2 has a built-in `print` function that writes to standard error; reject it.
        let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if words.any(|word| word == "print") {
            return Err(FormulaError::Unreadable("there is no function print".to_owned()));
        }
        let mut slab = Slab::new();
        // The library limits bytes, and a character of UTF-8 has up to 4 of them.
        let parser = Parser { expr_len_limit: 4 * MAX_FORMULA_CHARS, expr_depth_limit: MAX_DEPTH };
        let expression = parser.parse(&text, &mut slab.ps).map_err(|error| quoted.unreadable(&error))?;
        let compiled = expression.from(&slab.ps).compile(&slab.ps, &mut slab.cs, &mut EmptyNamespace);
        let names = compiled.var_names(&slab).iter().map(|name| quoted.key(name).to_owned()).collect();
        Ok(Self { slab, compiled, names, quoted })
    }

    /// Returns the names of the metrics that it uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Returns the result for the values that `value_of` returns.
    pub fn evaluate(&self, value_of: impl Fn(&str) -> Option<f64>) -> Result<f64, FormulaError> {
        let mut missing = None;
        let mut look_up = |name: &str, arguments: Vec<f64>| {
            let name = self.quoted.key(name);
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
            (None, Err(error)) => Err(self.quoted.unreadable(&error)),
        }
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Formula").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Quoted {
    /// Replaces the names in quotes by plain names that the text does not contain.
    fn take_from(text: &str) -> Result<(String, Self), FormulaError> {
        let prefix = (0..).map(|n| format!("q{n}_")).find(|prefix| !text.contains(prefix)).unwrap_or_default();
        let (mut plain, mut names) = (String::with_capacity(text.len()), BTreeMap::new());
        let mut parts = text.split('"');
        plain.push_str(parts.next().unwrap_or_default());
        while let Some(key) = parts.next() {
            let after = parts.next().ok_or_else(|| FormulaError::Unreadable("a quote is not closed".to_owned()))?;
            if !is_metric_key(key) {
                return Err(FormulaError::Unreadable(format!("{key:?} is not a metric key")));
            }
            let name = format!("{prefix}{}_", names.len());
            // Spaces keep the name apart from a letter or digit next to the quotes.
            plain.extend([" ", &name, " ", after]);
            names.insert(name, key.to_owned());
        }
        Ok((plain, Self(names)))
    }

    /// Returns the metric key that a name of the parsed text stands for.
    fn key<'n>(&'n self, name: &'n str) -> &'n str {
        self.0.get(name).map_or(name, String::as_str)
    }

    fn unreadable(&self, error: &Cause) -> FormulaError {
        let message =
            self.0.iter().fold(error.to_string(), |said, (name, key)| said.replace(name, &format!("\"{key}\"")));
        FormulaError::Unreadable(message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn a_metric_of_any_key_is_named_in_quotes() {
        let value_of = |name: &str| match name {
            "1.v" => Some(2.0),
            "2.v" => Some(3.0),
            "axis.x-rms" => Some(5.0),
            "min" | "print" => Some(7.0),
            "q0_0_" => Some(11.0),
            _ => None,
        };
        let table = [
            ("\"1.v\" * \"2.v\"", 6.0),
            ("\"1.v\"*\"1.v\"^\"2.v\"", 16.0),
            ("min(\"axis.x-rms\", \"2.v\") - 1", 2.0),
            ("\"min\" + \"print\" + min(1, 2)", 15.0),
            ("q0_0_ + \"1.v\"", 13.0),
            ("-\"1.v\"", -2.0),
        ];
        for (text, expected) in table {
            assert_eq!(Formula::parse(text).unwrap().evaluate(value_of), Ok(expected), "{text}");
        }
        let names = |text: &str| Formula::parse(text).unwrap().names().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names("\"1.v\" + a + \"a\" + \"1.v\""), ["1.v", "a"]);
        assert_eq!(Formula::parse("\"9.v\"").unwrap().evaluate(value_of), Err(FormulaError::NoValue("9.v".to_owned())));
    }

    #[test]
    fn a_name_in_quotes_that_is_no_metric_key_or_is_not_closed_does_not_parse() {
        let said = |text: &str| Formula::parse(text).unwrap_err().to_string();
        assert_eq!(said("\"a b\" + 1"), "the formula does not parse: \"a b\" is not a metric key");
        assert_eq!(said("\"\""), "the formula does not parse: \"\" is not a metric key");
        assert_eq!(said("1 + \"a"), "the formula does not parse: a quote is not closed");
        assert!(said("1 \"1.v\"").contains("\"1.v\""), "{}", said("1 \"1.v\""));
        assert!(Formula::parse("x\"1.v\"").is_err() && Formula::parse("\"1.v\"5").is_err());
    }

    #[test]
    fn a_result_that_a_float_cannot_hold_is_not_a_number() {
        let huge = |name: &str| (name == "a").then_some(f64::MAX);
        for text in
            ["a * 2", "a + a", "-a - a", "a ^ 2", "10 ^ 400", "a * a - a * a", "0 - 1e308 * 10", "sinh(a)", "log(0)"]
        {
            assert_eq!(Formula::parse(text).unwrap().evaluate(huge), Err(FormulaError::NotFinite), "{text}");
        }
        assert_eq!(Formula::parse("a / 2 + a / 2").unwrap().evaluate(huge), Ok(f64::MAX));
    }

    const TOKENS: &[&str] = &[
        "a", "\"b.c\"", "1e308", "0", "-", "+", "*", "/", "%", "^", "(", ")", ",", "<", "&&", "!", "log(", "round(",
        "int(", "min(", "sign(", "tan(", "acosh(",
    ];

    proptest! {
        #[test]
        fn a_formula_of_extreme_values_has_a_finite_result_or_none(
            a in any::<f64>(),
            b in prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN, 5e-324]),
            tokens in prop::collection::vec(prop::sample::select(TOKENS), 1..12)
        ) {
            let result = Formula::parse(&tokens.concat())
                .and_then(|formula| formula.evaluate(|name| Some(if name == "a" { a } else { b })));
            prop_assert!(result.map_or(true, f64::is_finite));
        }
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
