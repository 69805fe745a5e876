//! The list is whole, and its schemas say what every target understands.

use serde_json::Value;

use super::*;

fn described(stream: &Stream, schema: &Value, at: &str) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        assert!(property["description"].as_str().is_some_and(|words| words.len() > 10), "{at}: description");
        assert!(
            name.chars().all(|c| c.is_alphanumeric() || c == '_'),
            "{at}: Meltano skips names that are not words"
        );
        let types: Vec<&str> = match &property["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        assert_eq!(types.iter().filter(|t| **t != "null").count(), 1, "{at}: one type that is not null");
        for keyword in ["$ref", "oneOf", "anyOf", "allOf", "not", "enum", "const"] {
            assert!(property.get(keyword).is_none(), "{at}: {keyword} is not understood everywhere");
        }
        assert!(!stream.is_secret(name), "{at}: what never leaves is not declared");
        described(stream, property, &at);
        described(stream, &property["items"], &format!("{at}[]"));
    }
}

#[test]
fn every_stream_is_whole() {
    for stream in STREAMS {
        let own: Value = serde_json::from_str(stream.schema).expect(stream.name);
        assert!(own["description"].as_str().is_some_and(|words| words.ends_with('.')), "{}", stream.name);
        let schema = stream.schema();
        assert_eq!(schema["type"], "object", "{}", stream.name);
        assert_eq!(schema["additionalProperties"], true, "{}", stream.name);
        assert_eq!(
            schema["required"],
            serde_json::json!([stream.key]),
            "{}: only the key is sure",
            stream.name
        );
        assert_eq!(schema["properties"][stream.key]["type"], "string", "{}: key", stream.name);
        for field in stream.personal {
            assert!(
                schema["properties"].get(field).is_some(),
                "{}.{field}: personal, no schema",
                stream.name
            );
        }
        for (column, derived) in stream.derived() {
            assert!(
                schema["properties"].get(column).is_some(),
                "{}.{column}: declared, no schema",
                stream.name
            );
            let lifts = |path: &[&str]| {
                path.iter().all(|name| !stream.is_secret(name)) && schema["properties"].get(path[0]).is_some()
            };
            if let Lifted(path) | LiftedOfOne(path, _) = derived
                && (lifts(path) || stream.envelope == Envelope::List)
            {
                let place = format!("/properties/{}", path.join("/properties/"));
                let of_time = |field: &Value| field["format"] == "date-time";
                let field =
                    schema.pointer(&place).unwrap_or_else(|| panic!("{}.{column}: {place}", stream.name));
                assert_eq!(
                    of_time(field),
                    of_time(&schema["properties"][column]),
                    "{}.{column}",
                    stream.name
                );
            }
        }
        for (column, derived) in stream.derived() {
            let Joined(paths) = derived else { continue };
            let places = paths.iter().map(|path| format!("/properties/{}", path.join("/properties/")));
            assert!(places.clone().all(|place| schema.pointer(&place).is_some()), "{}.{column}", stream.name);
        }
        assert!((stream.path.starts_with('/') || stream.is_history()) && !stream.role.is_empty());
        assert!((1..=stream.max_page_size).contains(&stream.page_size) && stream.max_page_size <= 10_000);
        described(stream, &schema, stream.name);
    }
}

#[test]
fn names_and_paths_are_unique() {
    for (i, stream) in STREAMS.iter().enumerate() {
        for other in &STREAMS[i + 1..] {
            assert_ne!(stream.name, other.name);
            assert_ne!(stream.path, other.path);
        }
    }
}
