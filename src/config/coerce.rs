//! Converts strings to the type of the setting: Meltano and the environment provide every value as a string.

use chrono::NaiveDate;
use serde_json::Value;

/// The value of a string for which the schema requires a number, a boolean or an array. A string that cannot be
/// converted stays as it is, and breaks its rule.
pub fn coerce(property: &Value, value: Value) -> Value {
    let kind = property["type"].as_str().unwrap_or_default();
    let Value::String(text) = &value else { return if kind == "integer" { whole(value) } else { value } };
    let text = text.trim();
    let parsed = |text: &str, fits: fn(&Value) -> bool| serde_json::from_str(text).ok().filter(fits);
    match kind {
        "integer" => parsed(text, Value::is_number).map(whole),
        "number" => parsed(text, Value::is_number),
        "boolean" => parsed(&text.to_lowercase(), Value::is_boolean),
        // Singer's tools write a time where this wants a day. Nothing else is cut: it may be a secret, which is
        // told by its length.
        "string" if property["format"] == "date" => {
            let (day, _) = text.split_once('T').unwrap_or_default();
            day.parse::<NaiveDate>().is_ok().then(|| day.into())
        }
        "array" if text.starts_with('[') => parsed(text, Value::is_array),
        "array" if !text.is_empty() => Some(text.split(',').map(str::trim).collect()),
        _ => None,
    }
    .unwrap_or_else(|| text.into())
}

/// JSON Schema takes 5.0 for an integer, and YAML writes it so; Rust's integers do not.
fn whole(number: Value) -> Value {
    let is_whole = |float: &f64| number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15;
    number.as_f64().filter(is_whole).map_or(number.clone(), |float| (float as i64).into())
}
