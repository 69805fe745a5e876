//! Enforces the rules of `schemas/config.json`, and describes settings that break one, without quoting secrets. Knows
//! the keywords of JSON Schema that this schema uses, and no others.

use chrono::NaiveDate;
use regex_lite::Regex;
use serde_json::{Map, Value};

use super::names::meant;
use super::schema::secrets;
use super::sources;
use crate::secret::is_name;

/// Each setting that breaks a rule, and the first rule that it breaks.
pub fn broken(schema: &Value, given: &Map<String, Value>) -> Vec<String> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let absent = required.filter(|name| !given.contains_key(*name)).map(|name| missing(name, given));
    let rules = schema["properties"].as_object().into_iter().flatten();
    let wrong = rules.filter_map(|(name, rules)| words(name, rules, given.get(name)?, given));
    absent.chain(wrong).collect()
}

fn words(name: &str, rules: &Value, value: &Value, given: &Map<String, Value>) -> Option<String> {
    let (kind, found) = (rules["type"].as_str().unwrap_or_default(), told(value, given));
    if !is_of(kind, value) {
        return Some(format!("{name} must be of type {kind}, not {found}"));
    }
    if let Some(options) = rules["enum"].as_array().filter(|options| !options.contains(value)) {
        let options: Vec<_> = options.iter().filter_map(Value::as_str).collect();
        let near = meant(found.trim_matches('"'), options.iter().copied());
        let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
        return Some(format!("{name} must be one of {}, not {found}{near}", options.join(", ")));
    }
    let beyond = |keyword: &str, rule: &str, is_beyond: fn(f64, f64) -> bool| {
        let (number, limit) = value.as_f64().zip(rules[keyword].as_f64())?;
        is_beyond(number, limit).then(|| format!("{name} {rule} {}, not {found}", rules[keyword]))
    };
    match value {
        Value::Number(_) => beyond("minimum", "must be at least", |number, limit| number < limit)
            .or_else(|| beyond("maximum", "must be at most", |number, limit| number > limit)),
        Value::String(text) => words_for_text(name, rules, text, &found),
        Value::Array(items) if items.is_empty() && rules["minItems"] == 1 => {
            Some(format!("{name} must not be empty"))
        }
        Value::Array(items) => {
            let repeated = (1..items.len()).any(|end| items[..end].contains(&items[end]));
            let words_for_item = |item| words(name, &rules["items"], item, given);
            let unique = format!("{name} must not contain duplicates");
            (repeated && rules["uniqueItems"] == true)
                .then_some(unique)
                .or_else(|| items.iter().find_map(words_for_item))
        }
        _ => None,
    }
}

/// Whether a value is of a type, by its name in JSON Schema.
fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => false,
    }
}

fn words_for_text(name: &str, rules: &Value, text: &str, found: &str) -> Option<String> {
    let least = rules["minLength"].as_u64().unwrap_or_default();
    if (text.chars().count() as u64) < least {
        return Some(format!("{name} must have at least {least} characters"));
    }
    let fits = |pattern: &str| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
    // What is written otherwise than a day is shown may be one for chrono, and for nobody else.
    let is_day = || text.len() == 10 && text.parse().is_ok_and(|day: NaiveDate| day.to_string() == text);
    if rules["pattern"].as_str().is_none_or(fits) && (rules["format"] != "date" || is_day()) {
        return None;
    }
    if name.ends_with("_url") && !text.contains(':') {
        // A secret contains upper-case letters and no dot.
        let host = found.trim_matches('"');
        let is_told = host.contains('.') && !host.contains(|c: char| c.is_ascii_uppercase());
        let right = if is_told { format!(", as in https://{host}") } else { String::new() };
        return Some(format!("{name} has no scheme: add https://{right}"));
    }
    let rule = rules["pattern_descriptor"].as_str().unwrap_or_default();
    let found = if found.starts_with('"') { format!(", not {found}") } else { String::new() };
    Some(format!("{name} must be {rule}{found}"))
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

fn missing(setting: &str, given: &Map<String, Value>) -> String {
    if setting == "api_secret" && given.contains_key("api_key") {
        return format!(
            "{setting} is missing: it must come from the same place as api_key, which is a file, or \
             TAP_CONFLUENT_CLOUD_API_SECRET beside TAP_CONFLUENT_CLOUD_API_KEY, or CONFLUENT_CLOUD_API_SECRET \
             beside CONFLUENT_CLOUD_API_KEY"
        );
    }
    let variable = sources::THEIRS.iter().find(|(name, _)| *name == setting);
    let hint = variable.map_or(String::new(), |(_, variable)| format!(" (or set {variable})"));
    format!("{setting} is missing{hint}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::schema::SCHEMA;

    /// What a schema may say of a setting besides rules.
    const WORDS: [&str; 9] = [
        "title",
        "description",
        "default",
        "examples",
        "order",
        "airbyte_secret",
        "multiline",
        "pattern_descriptor",
        "always_show",
    ];

    #[test]
    fn the_schema_has_no_rule_that_is_not_enforced() {
        const RULES: [&str; 10] = [
            "type",
            "enum",
            "minimum",
            "maximum",
            "minLength",
            "pattern",
            "format",
            "minItems",
            "uniqueItems",
            "items",
        ];
        for (keyword, _) in SCHEMA.as_object().unwrap() {
            let known = ["$schema", "title", "type", "required", "additionalProperties", "properties"];
            assert!(known.contains(&keyword.as_str()), "{keyword}");
        }
        for (name, rules) in SCHEMA["properties"].as_object().unwrap() {
            for rules in [rules, &rules["items"]] {
                for (keyword, rule) in rules.as_object().into_iter().flatten() {
                    let known = RULES.contains(&keyword.as_str()) || WORDS.contains(&keyword.as_str());
                    assert!(known, "{name}: {keyword}");
                    assert!(keyword != "format" || rule == "date", "{name}: {rule}");
                    assert!(keyword != "minItems" || rule == 1, "{name}: {rule}");
                    assert!(
                        keyword != "pattern" || Regex::new(rule.as_str().unwrap()).is_ok(),
                        "{name}: {rule}"
                    );
                }
            }
        }
    }

    /// Values of every type, among them what the rules of some setting end at and what is next to that.
    fn values() -> Vec<Value> {
        let mut values =
            vec![json!(null), json!(true), json!({"a": 1}), json!(1.5), json!(-1e300), json!(u64::MAX)];
        for rules in SCHEMA["properties"].as_object().unwrap().values() {
            for limit in ["minimum", "maximum"].iter().filter_map(|keyword| rules[keyword].as_f64()) {
                values.extend(
                    [limit - 1.0, limit - 0.0001, limit, limit + 0.0001, limit + 1.0].map(Value::from),
                );
                values.extend([-1, 0, 1].map(|by| json!(limit as i64 + by)));
            }
            for letters in rules["minLength"].as_u64().into_iter().flat_map(|least| [least - 1, least]) {
                values.push("ü".repeat(letters as usize).into());
                values.push("u".repeat(letters as usize).into());
            }
            let options = [&rules["enum"], &rules["items"]["enum"]];
            values.extend(options.into_iter().filter_map(Value::as_array).flatten().cloned());
        }
        let texts = [
            " ",
            "a b",
            "a_b.C-9",
            "a:b",
            "*",
            "~",
            "\u{7f}",
            "a\n",
            "a\nb",
            "http://a",
            "https://a",
            "https://",
            "https://a b",
            "xhttps://a",
            "ftp://a",
            "a.example.com",
            "2026-01-31",
            "2026-1-31",
            "2026-02-30",
            "2024-02-29",
            "0000-01-01",
            "10000-01-01",
            "+10000-01-01",
            "-0001-01-01",
            "2026-01-31T00:00:00Z",
            "02026-01-31",
            "2026/01/31",
            "2026 -1-31",
            " 2026-1-31",
            "20260131",
        ];
        values.extend(texts.map(Value::from));
        let lists =
            values.iter().step_by(3).flat_map(|value| [json!([value]), json!([value, "users", value])]);
        let lists: Vec<Value> = lists.chain([json!([]), json!(["users", "invitations"])]).collect();
        values.into_iter().chain(lists).collect()
    }

    #[test]
    fn a_rule_means_what_it_means_in_json_schema() {
        let validator = jsonschema::draft7::new(&SCHEMA).unwrap();
        for name in SCHEMA["properties"].as_object().unwrap().keys() {
            for value in values() {
                // A float that stands for an integer has become one before.
                let value = crate::config::coerce::coerce(&json!({"type": "integer"}), value);
                let mut given = json!({"api_key": "KEY", "api_secret": "hush"});
                given[name] = value;
                let found = broken(&SCHEMA, given.as_object().unwrap());
                assert_eq!(found.is_empty(), validator.is_valid(&given), "{given}: {found:?}");
            }
        }
        assert!(!validator.is_valid(&json!({})) && broken(&SCHEMA, &Map::new()).len() == 2);
    }
}
