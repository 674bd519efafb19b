//! Secrets of the configuration: never printed, given as a value or as a file.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// A password or key; `Debug` shows only whether it is set.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(not set)" } else { "(set, not shown)" })
    }
}

/// Returns the secret of setting `name`, from its value or from the file of `<name>_file`. Errors when both are set or
/// the file cannot be read.
pub fn resolve(name: &str, value: Option<&Secret>, file: Option<&Path>) -> anyhow::Result<Option<String>> {
    match (value, file) {
        (Some(_), Some(_)) => bail!("{name} and {name}_file are both set: set only one of them"),
        (Some(secret), None) => Ok(Some(secret.0.clone())),
        (None, Some(path)) => {
            let text = fs::read_to_string(path);
            let text = text.with_context(|| format!("cannot read {name}_file {}", path.display()))?;
            // Editors end a file with a line break, which is not part of the secret.
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_its_value_or_from_a_file_without_its_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "a secret \r\n").unwrap();
        let value = Secret("a value".to_owned());
        assert_eq!(resolve("x.password", Some(&value), None).unwrap().as_deref(), Some("a value"));
        assert_eq!(resolve("x.password", None, Some(&path)).unwrap().as_deref(), Some("a secret "));
        assert_eq!(resolve("x.password", None, None).unwrap(), None);
    }

    #[test]
    fn a_secret_that_is_set_twice_or_cannot_be_read_is_refused() {
        let value = Secret("a value".to_owned());
        let refusal = |value: Option<&Secret>| {
            let refused = resolve("x.password", value, Some(Path::new("/nonexistent/password")));
            refused.unwrap_err().to_string()
        };
        assert_eq!(refusal(Some(&value)), "x.password and x.password_file are both set: set only one of them");
        assert_eq!(refusal(None), "cannot read x.password_file /nonexistent/password");
    }

    #[test]
    fn debug_output_does_not_show_a_secret() {
        assert_eq!(format!("{:?}", Secret("a value".to_owned())), "(set, not shown)");
        assert_eq!(format!("{:?}", Secret::default()), "(not set)");
    }
}
