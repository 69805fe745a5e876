//! Singer's messages stated anew, with unknown fields denied, and the rules that hold for any
//! sequence of them.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::whole::STREAMS;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE", deny_unknown_fields)]
pub enum Message {
    Schema { stream: String, schema: Map<String, Value>, key_properties: Vec<String> },
    Record { stream: String, record: Map<String, Value>, time_extracted: String },
    State { value: State },
}

#[derive(Clone, Debug, Deserialize)]
/// Keys of other taps may be beside the bookmarks.
pub struct State {
    pub bookmarks: Map<String, Value>,
}

/// Reads whole lines; says which line is wrong and how.
pub fn parse(stdout: &str) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    let mut schemas = BTreeSet::new();
    for (index, line) in stdout.lines().enumerate() {
        let wrong = |what: String| {
            let start: String = line.chars().take(200).collect();
            format!("line {} of stdout: {what}: {start}", index + 1)
        };
        let message: Message = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        check(&message, &mut schemas).map_err(wrong)?;
        messages.push(message);
    }
    Ok(messages)
}

fn check(message: &Message, schemas: &mut BTreeSet<String>) -> Result<(), String> {
    match message {
        Message::Schema { stream, schema, key_properties } => {
            if key_properties != &["id"] {
                return Err(format!("key_properties are {key_properties:?}"));
            }
            if !schema.get("properties").is_some_and(|properties| properties["id"].is_object()) {
                return Err("the schema does not describe the key".to_owned());
            }
            schemas.insert(stream.clone());
        }
        Message::Record { stream, record, time_extracted } => {
            if !schemas.contains(stream) {
                return Err(format!("a RECORD of {stream} before its SCHEMA"));
            }
            if !record.get("id").is_some_and(Value::is_string) {
                return Err("a RECORD without its key".to_owned());
            }
            DateTime::parse_from_rfc3339(time_extracted)
                .map_err(|error| format!("time_extracted: {error}"))?;
        }
        Message::State { value } => {
            for (stream, bookmark) in &value.bookmarks {
                if !bookmark.is_object() && STREAMS.contains(&stream.as_str()) {
                    return Err(format!("the bookmark of {stream} is not an object"));
                }
            }
        }
    }
    Ok(())
}
