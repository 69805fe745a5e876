//! Describes settings that break a rule of the schema, without quoting secrets.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::{Map, Value};

use super::names::meant;
use super::schema::{SCHEMA, secrets};
use crate::secret::is_name;

/// The rules of `schemas/config.json`, compiled into code: a validator that reads schemas would add a
/// megabyte to the binary.
#[jsonschema::validator(path = "schemas/config.json", draft = Draft7, formats = {
    "name" => crate::secret::is_name, "url" => crate::config::rules::is_url, "ascii" => crate::config::rules::is_ascii,
})]
struct Settings;

/// What white space is, beyond ASCII, the engines that check patterns do not agree on.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn is_ascii(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Each setting that breaks a rule, and the rule. `only`: the settings that are looked at, if not all.
pub fn broken(given: &Map<String, Value>, only: Option<&[&str]>) -> Vec<String> {
    let all = given.clone().into();
    let is_meant = |error: &ValidationError<'_>| only.is_none_or(|only| only.contains(&&*name(error)));
    Settings::iter_errors(&all).filter(is_meant).map(|error| words(&error, given)).collect()
}

/// The setting in which a rule is broken; empty if one is missing.
fn name(error: &ValidationError<'_>) -> String {
    error.instance_path().to_string().split('/').nth(1).unwrap_or_default().to_owned()
}

fn words(error: &ValidationError<'_>, given: &Map<String, Value>) -> String {
    let name = name(error);
    let found = told(error.instance(), given);
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(kind) } => format!("{name} must be of type {kind}, not {found}"),
        Kind::Enum { options } => {
            let options: Vec<_> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let near = meant(found.trim_matches('"'), options.iter().copied());
            let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
            format!("{name} must be one of {}, not {found}{near}", options.join(", "))
        }
        Kind::Minimum { limit } => format!("{name} must be at least {limit}, not {found}"),
        Kind::Maximum { limit } => format!("{name} must be at most {limit}, not {found}"),
        Kind::Format { .. } if name.ends_with("_url") && !error.instance().to_string().contains(':') => {
            // A secret contains upper-case letters and no dot.
            let host = found.trim_matches('"');
            let is_told = host.contains('.') && !host.contains(|c: char| c.is_ascii_uppercase());
            let right = if is_told { format!(", as in https://{host}") } else { String::new() };
            format!("{name} has no scheme: add https://{right}")
        }
        Kind::MinItems { .. } => format!("{name} must not be empty"),
        Kind::UniqueItems => format!("{name} must not contain duplicates"),
        Kind::MinLength { limit } => format!("{name} must have at least {limit} characters"),
        Kind::Format { .. } => {
            let rule = SCHEMA["properties"][&name]["pattern_descriptor"].as_str().unwrap_or_default();
            let found = if found.starts_with('"') { format!(", not {found}") } else { String::new() };
            format!("{name} must be {rule}{found}")
        }
        _ => format!("{name} {}", error.masked()),
    }
}

/// The value as JSON, or only its type if it may be a secret, which can be pasted anywhere.
fn told(value: &Value, given: &Map<String, Value>) -> String {
    let json = value.to_string();
    let text = json.trim_matches('"');
    let holds = |secret: &Value| secret == value || (text.len() >= 10 && secret.to_string().contains(text));
    let is_secret = secrets().filter_map(|name| given.get(name)).any(holds);
    // Secrets are longer, in base64, in URLs or in pasted JSON.
    let is_short = text.len() <= 20 && !text.contains(['+', '/', '=', ':', '@', '\\']);
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        // A key of hashes may look like a name, but it is longer and, unlike a host, has no dot.
        _ if !is_secret && (is_short || is_name(text) && text.contains('.')) => json,
        Value::String(_) => "a string".to_owned(),
        _ => "a number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn formats_are_what_their_patterns_say(
            text in "(https?://|https?:/|HTTP://|://)?([ -~]{0,45}|[0-9A-Za-z_.-]{0,42}|[ä-ü東]{0,3}|[\\t\\n\u{a0}\u{e9}]{1,3})"
        ) {
            let published = jsonschema::draft7::new(&SCHEMA).unwrap();
            let patterns = SCHEMA["properties"].as_object().unwrap().iter();
            let patterns: Vec<_> = patterns.filter(|(_, rules)| rules["pattern"].is_string()).collect();
            prop_assert_eq!(patterns.len(), 5);
            for (name, _) in patterns {
                let given = json!({name: text});
                let broken = broken(given.as_object().unwrap(), None);
                prop_assert_eq!(broken.is_empty(), published.is_valid(&given), "{}: {:?}", name, text);
            }
        }
    }
}
