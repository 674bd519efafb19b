//! Refuses addresses whose percent-encoded characters are not UTF-8 or contain U+0000. The framework would replace the
//! former silently, and databases cannot store the latter.

use poem::http::Uri;

use crate::problem::Problem;

/// Checks the path and every query parameter; the problem names the first that is wrong.
pub fn check(uri: &Uri) -> Result<(), Problem> {
    refuse("path", uri.path())?;
    for pair in uri.query().unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        refuse("query", name)?;
        refuse(name, value)?;
    }
    Ok(())
}

fn refuse(parameter: &str, encoded: &str) -> Result<(), Problem> {
    if !encoded.contains('%') {
        return Ok(());
    }
    match String::from_utf8(decode(encoded)) {
        Err(_) => Err(Problem::parameter(parameter, "must be UTF-8, percent-encoded")),
        Ok(text) if text.contains('\0') => Err(Problem::parameter(parameter, "must not contain the character U+0000")),
        Ok(_) => Ok(()),
    }
}

/// Decodes percent-encoded bytes; a `%` without two hexadecimal digits stands for itself.
fn decode(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &str) -> Option<String> {
        check(&uri.parse().unwrap()).err().map(|problem| problem.errors[0].field.clone())
    }

    #[test]
    fn every_parameter_that_is_not_text_is_named() {
        for good in ["/a?b=%C3%BC&c=100%&d", "/%F0%9F%98%80", "/a?b=%2500"] {
            assert_eq!(refused(good), None, "{good}");
        }
        for (bad, named) in [("/a?b=1&c=%00", "c"), ("/a%00", "path"), ("/a?b=%ED%A0%80", "b"), ("/?%FF=1", "query")] {
            assert_eq!(refused(bad).as_deref(), Some(named), "{bad}");
        }
    }
}
