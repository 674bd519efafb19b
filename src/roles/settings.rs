//! `argusiq settings`: prints every setting as an environment variable, with its default. `docs/operations.md` describes
//! them.

use serde_json::Value;

use crate::settings::Settings;

/// Prints one line per setting: the variable, a tab, the default; `-` if there is none.
pub fn run() -> anyhow::Result<()> {
    for (variable, default) in variables()? {
        println!("{variable}\t{default}");
    }
    Ok(())
}

/// Returns every variable with its default, in alphabetical order.
fn variables() -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    walk("ARGUSIQ", &serde_json::to_value(Settings::default())?, &mut found);
    found.sort();
    Ok(found)
}

fn walk(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    // Two underscores separate levels; the prefix is followed by one.
    let separator = if name == "ARGUSIQ" { "_" } else { "__" };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| {
                walk(&format!("{name}{separator}{}", key.to_uppercase()), value, found);
            });
        }
        Value::Null => found.push((name.to_owned(), "-".to_owned())),
        Value::String(text) if text.is_empty() => found.push((name.to_owned(), "-".to_owned())),
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        other => found.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_settings_have_two_underscores_and_missing_defaults_a_dash() {
        let variables = variables().unwrap();
        let of = |name: &str| variables.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.as_str());
        assert_eq!(of("ARGUSIQ_DATA_DIR"), Some(".argusiq"));
        assert_eq!(of("ARGUSIQ_MQTT__MAX_CONNECTIONS"), Some("20000"));
        assert_eq!(of("ARGUSIQ_MQTT__SERVER_NAMES"), Some(r#"["localhost","127.0.0.1"]"#));
        assert_eq!(of("ARGUSIQ_NATS__URL"), Some("-"));
    }
}
