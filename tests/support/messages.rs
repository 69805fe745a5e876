//! Singer's messages stated anew, with unknown fields denied, and the rules that hold for any
//! sequence of them.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::whole::{HISTORY, STREAMS, key_of};

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE", deny_unknown_fields)]
pub enum Message {
    Schema {
        stream: String,
        schema: Map<String, Value>,
        key_properties: Vec<String>,
        /// Of a stream that is read incrementally.
        bookmark_properties: Option<Vec<String>>,
    },
    Record {
        stream: String,
        record: Map<String, Value>,
        time_extracted: String,
        version: Option<u64>,
    },
    State {
        value: State,
    },
    #[serde(rename = "ACTIVATE_VERSION")]
    ActivateVersion {
        stream: String,
        version: u64,
    },
}

#[derive(Clone, Debug, Deserialize)]
/// Keys of other taps may be beside the bookmarks.
pub struct State {
    pub bookmarks: Map<String, Value>,
}

/// Reads whole lines; says which line is wrong and how.
pub fn parse(stdout: &str) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    let mut seen = BTreeMap::new();
    for (index, line) in stdout.lines().enumerate() {
        let wrong = |what: String| {
            let start: String = line.chars().take(200).collect();
            format!("line {} of stdout: {what}: {start}", index + 1)
        };
        let message: Message = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        check(&message, &mut seen).map_err(wrong)?;
        if line.contains(r#""version":null"#) {
            return Err(wrong("a version that is none is left out, not null".to_owned()));
        }
        messages.push(message);
    }
    Ok(messages)
}

/// What has been said of a stream whose SCHEMA came.
#[derive(Default)]
struct Said {
    version: Option<u64>,
    has_records: bool,
    is_activated: bool,
}

fn check(message: &Message, seen: &mut BTreeMap<String, Said>) -> Result<(), String> {
    match message {
        Message::Schema { stream, schema, key_properties, bookmark_properties } => {
            let cursor = match stream.as_str() {
                "billing_costs" => Some(vec!["start_date".to_owned()]),
                HISTORY => Some(vec!["ended_at".to_owned()]),
                _ => None,
            };
            if *bookmark_properties != cursor {
                return Err(format!("bookmark_properties are {bookmark_properties:?}"));
            }
            let key = key_of(stream);
            if key_properties != &[key] {
                return Err(format!("key_properties are {key_properties:?}"));
            }
            if !schema.get("properties").is_some_and(|properties| properties[key].is_object()) {
                return Err("the schema does not describe the key".to_owned());
            }
            seen.insert(stream.clone(), Said::default());
        }
        Message::Record { stream, record, time_extracted, version } => {
            let said =
                seen.get_mut(stream).ok_or_else(|| format!("a RECORD of {stream} before its SCHEMA"))?;
            if said.is_activated {
                return Err(format!("a RECORD of {stream} after its ACTIVATE_VERSION"));
            }
            if said.has_records && said.version.is_some() != version.is_some() {
                return Err(format!("some RECORDs of {stream} have a version, some have none"));
            }
            // A pass that is started over has a later one.
            if said.version > *version {
                return Err(format!("the version of {stream} goes backwards"));
            }
            (said.version, said.has_records) = (*version, true);
            if !record.get(key_of(stream)).is_some_and(Value::is_string) {
                return Err("a RECORD without its key".to_owned());
            }
            DateTime::parse_from_rfc3339(time_extracted)
                .map_err(|error| format!("time_extracted: {error}"))?;
        }
        Message::ActivateVersion { stream, .. } if ["billing_costs", HISTORY].contains(&stream.as_str()) => {
            return Err("an ACTIVATE_VERSION of what is read day by day, or of the history".to_owned());
        }
        Message::ActivateVersion { stream, version } => {
            let said = seen
                .get_mut(stream)
                .ok_or_else(|| format!("an ACTIVATE_VERSION of {stream} before its SCHEMA"))?;
            if said.is_activated || said.has_records && said.version != Some(*version) {
                return Err(format!("{stream}: version {version} is activated, {:?} was said", said.version));
            }
            said.is_activated = true;
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
