//! The schema of the settings, and what it says of their names.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The formats of `schemas/config.json` that are our own, and the pattern of each, which a form knows how to check.
/// `rules` checks them by functions: what compiles patterns would be a quarter of the binary.
const FORMATS: [(&str, &str); 3] =
    [("name", "^[0-9A-Za-z_.-]{1,40}$"), ("url", "^https?://\\S+$"), ("ascii", "^[ -~]*$")];

/// The JSON Schema of the settings, their only definition, with patterns in place of our own formats.
pub static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema: Value =
        serde_json::from_str(include_str!("../../schemas/config.json")).unwrap_or_default();
    for rules in schema["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some((_, pattern)) = FORMATS.iter().find(|(name, _)| rules["format"] == *name) {
            rules["pattern"] = (*pattern).into();
            rules.as_object_mut().map(|rules| rules.shift_remove("format"));
        }
    }
    schema
});

/// The names of the settings.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCHEMA["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
}

/// The names of the settings that are secret.
pub fn secrets() -> impl Iterator<Item = &'static str> {
    names().filter(|name| SCHEMA["properties"][name]["airbyte_secret"] == true)
}

/// Whether a name ends like that of a credential, however its words are joined.
pub fn is_credential(name: &str) -> bool {
    let joined = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    secrets().chain(["api_key"]).any(|credential| joined(name).ends_with(&joined(credential)))
}
