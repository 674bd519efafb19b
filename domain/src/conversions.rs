//! Conversions of stored events from an older version to the current one. Every reader of the log applies them.

use serde_json::Value;

/// An event type, the version that a conversion leads to (semantic, such as `2.0.0`), and the conversion of the stored
/// content of any older version.
pub type Conversion = (&'static str, &'static str, fn(Value) -> Value);

/// All conversions, older versions first. There are none yet: every event has only one version.
pub const CONVERSIONS: &[Conversion] = &[];
