//! Converts strings to the type of the setting: Meltano and the environment provide every value as a string.

use chrono::NaiveDate;
use serde_json::Value;

use super::schema::SCHEMA;

/// The value of a setting. A string for which the schema requires a number, a boolean or an array is converted; one
/// that cannot be stays as it is, and breaks its rule. Null and empty strings count as not given: Meltano and shells
/// pass them for settings that are not set.
pub fn fit(name: &str, value: Value) -> Option<Value> {
    let property = &SCHEMA["properties"][name];
    let kind = property["type"].as_str().unwrap_or_default();
    let value = value.as_str().map(|text| text.trim().into()).unwrap_or(value);
    let text = value.as_str().unwrap_or_default();
    let parsed = |text: &str, fits: fn(&Value) -> bool| serde_json::from_str(text).ok().filter(fits);
    let meant = match kind {
        "integer" | "number" => parsed(text, Value::is_number),
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
    };
    let value = meant.unwrap_or(value);
    // JSON Schema takes 5.0 for an integer, and YAML writes it so; Rust's integers do not.
    let is_whole = |float: &f64| value.is_f64() && float.fract() == 0.0 && float.abs() < 1e15;
    let whole = value.as_f64().filter(|float| kind == "integer" && is_whole(float));
    let value = whole.map_or(value, |float| (float as i64).into());
    (!value.is_null() && value != "").then_some(value)
}
