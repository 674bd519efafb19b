//! Validation shared by several aggregates. Each aggregate maps a failure to its own error.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The first and the last time that requests may name, and that databases and RFC 3339 can express.
const FIRST_TIME: DateTime<Utc> = time(-62_135_596_800, 0);
const LAST_TIME: DateTime<Utc> = time(253_402_300_799, 999_999_000);
/// Maximum length of a name, characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Maximum length of a metric key, characters.
pub const MAX_METRIC_KEY_CHARS: usize = 64;
/// Maximum length of a URL, bytes.
const MAX_URL_BYTES: usize = 2000;
/// Maximum duration of conditions, cooldowns and staleness bounds: 30 days, in seconds.
pub const MAX_DURATION_SECONDS: u32 = 30 * 24 * 60 * 60;

const fn time(seconds: i64, nanos: u32) -> DateTime<Utc> {
    match DateTime::from_timestamp(seconds, nanos) {
        Some(at) => at,
        None => DateTime::UNIX_EPOCH,
    }
}

/// Returns whether a time is in the years 0001 to 9999 in UTC.
pub fn is_time(at: DateTime<Utc>) -> bool {
    (FIRST_TIME..=LAST_TIME).contains(&at)
}

/// Returns the nearest time in the years 0001 to 9999. Older logs have events with times outside of them.
pub fn nearest_time(at: DateTime<Utc>) -> DateTime<Utc> {
    at.clamp(FIRST_TIME, LAST_TIME)
}

/// Returns whether the text is a valid metric key: 1 to 64 ASCII letters, digits, `_`, `-` and `.`.
pub fn is_metric_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !text.is_empty() && text.len() <= MAX_METRIC_KEY_CHARS && text.bytes().all(allowed)
}

/// Returns whether the text looks like a web address: `https://` or `http://` followed by a host, without white space.
pub(crate) fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let has_host = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    url.len() <= MAX_URL_BYTES
        && rest.is_some_and(has_host)
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Returns the name without surrounding white space; `None` unless 1 to 200 characters remain.
pub fn name(text: &str) -> Option<String> {
    trimmed(text, MAX_NAME_CHARS)
}

/// Returns the text without surrounding white space; `None` unless 1 to `most` characters remain.
pub(crate) fn trimmed(text: &str, most: usize) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= most).then(|| text.to_owned())
}

/// Returns the first key that occurs a second time.
pub(crate) fn first_duplicate<'a>(keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    keys.into_iter().find(|key| !seen.insert(*key))
}

/// Returns whether custom attributes are a JSON object.
pub(crate) fn is_json_object(attributes: &Value) -> bool {
    attributes.is_object()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_key_has_1_to_64_letters_digits_underscores_hyphens_and_dots() {
        for good in ["t", "temperature", "axis.x_rms-1", &"k".repeat(64)] {
            assert!(is_metric_key(good), "{good}");
        }
        for bad in ["", " ", "a b", "a/b", "grün", "a\n", &"k".repeat(65)] {
            assert!(!is_metric_key(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(name("  Pump 1\t"), Some("Pump 1".to_owned()));
        assert_eq!(name(&"ü".repeat(200)), Some("ü".repeat(200)));
        assert_eq!(name(&"ü".repeat(201)), None);
        assert_eq!(name(" \n "), None);
    }

    #[test]
    fn times_are_in_the_years_1_to_9999() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for good in ["0001-01-01T00:00:00Z", "2026-01-28T10:00:00Z", "9999-12-31T23:59:59.999999Z"] {
            assert!(is_time(at(good)), "{good}");
            assert_eq!(nearest_time(at(good)), at(good));
        }
        let outside = [
            ("0000-12-31T23:59:59.999999Z", FIRST_TIME),
            ("-0044-03-15T12:00:00Z", FIRST_TIME),
            ("+10000-01-01T07:59:59Z", LAST_TIME),
        ];
        for (bad, nearest) in outside {
            assert!(!is_time(at(bad)), "{bad}");
            assert_eq!(nearest_time(at(bad)), nearest);
        }
        assert_eq!(LAST_TIME, at("9999-12-31T23:59:59.999999Z"));
    }

    #[test]
    fn the_first_duplicate_key_is_found() {
        assert_eq!(first_duplicate(["a", "b", "a", "b"].into_iter()), Some("a"));
        assert_eq!(first_duplicate(["a", "b"].into_iter()), None);
    }
}
