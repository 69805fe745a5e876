//! The schema of the settings, and what it says of their names.

use std::sync::LazyLock;

use serde_json::Value;

/// The JSON Schema of the settings, their only definition.
pub static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../schemas/config.json")).unwrap_or_default());

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
