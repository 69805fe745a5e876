//! Singer: state in, SCHEMA, RECORD and STATE lines out; its catalog stands in [`catalog`].
//!
//! The shapes are those of the Singer specification and its SDK; where they differ from each other, what
//! Meltano writes is read. Knows neither HTTP nor settings.

pub mod catalog;

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Asked, Event, Offer, Request, Selected, Sink, Tally, push};
use crate::log::{self, Level};
use crate::state::{BOOKMARK_KEYS, Last, Position};
use crate::streams::{Stream, find};

/// The keys of Singer's own bookmark, which streams with a cursor have beside ours, for tools that show them.
const REPLICATION_KEYS: [&str; 2] = ["replication_key", "replication_key_value"];

/// Reads a state: the object itself, or a whole STATE message. What is foreign in it is told, and carried over unchanged.
///
/// # Errors
/// In words, if it or `bookmarks` is not an object.
pub fn read_state(mut state: Value) -> Result<Value, String> {
    if state["type"] == "STATE" && state["value"].is_object() {
        state = state["value"].take();
    }
    let fields = state.as_object_mut().ok_or("it is not a JSON object")?;
    fields.get_mut("currently_syncing").map(Value::take);
    let top = fields.keys().filter(|key| !["bookmarks", "currently_syncing"].contains(&key.as_str()));
    let top: Vec<String> = top.cloned().collect();
    let bookmarks = fields.entry("bookmarks").or_insert(Value::Null);
    if bookmarks.is_null() {
        *bookmarks = json!({});
    }
    let bookmarks = bookmarks.as_object_mut().ok_or("its `bookmarks` is not an object")?;
    let mut strange: Vec<String> = bookmarks.keys().filter(|name| find(name).is_none()).cloned().collect();
    for (name, bookmark) in bookmarks.iter_mut() {
        let Some(stream) = find(name) else { continue };
        mend(stream, bookmark);
        let is_ours = |key: &str| BOOKMARK_KEYS.contains(&key) || REPLICATION_KEYS.contains(&key);
        let keys = bookmark.as_object().into_iter().flat_map(Map::keys).filter(|key| !is_ours(key));
        strange.extend(keys.map(|key| format!("{name}.{key}")));
    }
    let strange: Vec<_> = strange.into_iter().chain(top).map(|key| format!("{key:?}")).collect();
    if !strange.is_empty() {
        log::warn(format!(
            "the state contains entries that are not of this tap, kept unchanged: {}",
            strange.join(", ")
        ));
    }
    Ok(state)
}

/// Makes a bookmark of ours one that we write: a null that turned into an object later would break
/// Meltano's merge of states. What cannot be read as a position is told, and starts over.
fn mend(stream: &Stream, bookmark: &mut Value) {
    let (name, read) = (stream.name, Position::read(bookmark, stream.cursor.is_some()));
    if bookmark.is_null() || read.is_err() {
        Position::Start.write(bookmark);
    }
    if let Err(why) = read {
        log::warn(format!(
            "{name}: its state was not written by this tap ({why}); reading it from the first page"
        ));
    }
}

/// What Singer's tools ask of `--about`; the shape is that of the Singer SDK.
pub fn about(settings: Value) -> Value {
    json!({
        "name": env!("CARGO_PKG_NAME"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "version": env!("CARGO_PKG_VERSION"),
        "sdk_version": null,
        "supported_python_versions": [],
        "capabilities": ["catalog", "discover", "state", "about", "test", "activate-version", "structured-logging"],
        "settings": settings,
    })
}

/// A line for people, as the Singer SDK's StructuredFormatter writes it.
pub fn log_message(level: Level, words: &str) -> Value {
    let level = format!("{level:?}").to_lowercase().replace("warn", "warning");
    let stream = words.split(':').next().and_then(find).map(|stream| stream.name);
    let (name, seconds) = (env!("CARGO_PKG_NAME"), Utc::now().timestamp_micros() as f64 / 1e6);
    json!({
        "level": level, "pid": std::process::id(), "logger_name": name, "ts": seconds, "thread_name": "main",
        "app_name": name, "stream_name": stream, "message": words, "extra": {},
    })
}

/// What a runtime wishes of the log in the file that SINGER_SDK_LOG_CONFIG names: whether lines are objects, and
/// their level. None if the file is something else.
pub fn log_wishes(config: &Value) -> Option<(bool, Option<Level>)> {
    let mut formatters = config["formatters"].as_object()?.values();
    let objects = formatters.any(|formatter| formatter["()"] == "singer_sdk.logging.StructuredFormatter");
    Some((objects, Level::deserialize(&config["root"]["level"]).ok()))
}

/// What a catalog and a state ask for; without them everything, from its beginning. `versions`: say a version
/// with every record, and activate it once a stream was read to its end.
///
/// # Errors
/// Says which of the two is wrong.
pub fn request(catalog: Option<Value>, state: Option<Value>, offer: &Offer, versions: bool) -> Asked {
    let all = || Ok(offer.streams.iter().map(|stream| offer.whole(stream)).collect());
    let streams = catalog.map_or_else(all, |catalog| catalog::select(&catalog, offer));
    let mut streams: Vec<Selected> = streams.map_err(|why| ("catalog", why))?;
    let state = state.map_or(Ok(Value::Null), read_state).map_err(|why| ("state", why))?;
    for Selected { stream, position, last, .. } in &mut streams {
        let bookmark = &state["bookmarks"][stream.name];
        *position = Position::read(bookmark, stream.cursor.is_some()).unwrap_or(Position::Start);
        *last = Last::read(bookmark);
    }
    let sink = Box::new(Singer { state, versions });
    Ok(Request { streams, missing: Vec::new(), sink })
}

/// Says events as Singer messages. Puts the full state together after each page, once its records are in
/// the same write.
pub struct Singer {
    /// As it was given, whatever is foreign in it included.
    state: Value,
    /// Whether versions of rows are said.
    versions: bool,
}

impl Singer {
    /// The version of a stream's rows: when the pass began that they belong to. Where rows of earlier runs stay, none of
    /// them is of an old version.
    fn version(&self, stream: &Stream, tally: &Tally) -> Option<i64> {
        let is_said = self.versions && stream.cursor.is_none();
        tally.pass_started_at.filter(|_| is_said).map(|began| began.timestamp_millis())
    }

    fn push_state(&mut self, stream: &Stream, position: &Position, lines: &mut Vec<u8>) {
        let bookmark = &mut self.state["bookmarks"][stream.name];
        position.write(bookmark);
        if let Some(cursor) = stream.cursor {
            bookmark["replication_key"] = cursor.into();
            bookmark["replication_key_value"] = bookmark["partition"].clone();
        }
        // Not made a value first, which would copy the state for each page.
        push(lines, &BTreeMap::from([("type", &json!("STATE")), ("value", &self.state)]));
    }
}

impl Sink for Singer {
    fn say(&mut self, event: &Event, lines: &mut Vec<u8>) {
        match event {
            Event::Started { stream, schema, position } => {
                let (name, key) = (stream.name, stream.key);
                let mut message =
                    json!({"type": "SCHEMA", "stream": name, "schema": schema, "key_properties": [key]});
                if let Some(cursor) = stream.cursor {
                    message["bookmark_properties"] = json!([cursor]);
                }
                push(lines, &message);
                // Targets of the PipelineWise lineage take the first STATE they see for one whose records
                // are stored, so one stands before the first record.
                self.push_state(stream, position, lines);
            }
            Event::Page { stream, records, position, received_at, tally } => {
                let time = received_at.to_rfc3339_opts(SecondsFormat::Millis, true);
                let head = format!(r#"{{"type":"RECORD","stream":"{}","record":"#, stream.name);
                let version = self.version(stream, tally);
                let version = version.map_or(String::new(), |version| format!(",\"version\":{version}"));
                let tail = format!(",\"time_extracted\":\"{time}\"{version}}}\n");
                for record in records.iter() {
                    lines.extend_from_slice(head.as_bytes());
                    lines.extend_from_slice(record);
                    lines.extend_from_slice(tail.as_bytes());
                }
                self.push_state(stream, position, lines);
            }
            // Targets drop the rows of older versions at once, so this is said last, and only of a stream that
            // was read to its end.
            Event::Ended { stream, outcome: Ok(()), tally } => {
                let Some(version) = self.version(stream, tally) else { return };
                let message = json!({"type": "ACTIVATE_VERSION", "stream": stream.name, "version": version});
                push(lines, &message);
            }
            Event::RateLimited { .. } | Event::Ended { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_are_none() {
        for (given, ok) in [
            (json!({}), true),
            (json!({"bookmarks": null}), true),
            (json!({"type": "STATE", "value": {"bookmarks": {}}}), true),
            (json!({"bookmarks": []}), false),
            (json!({"bookmarks": "x"}), false),
        ] {
            assert_eq!(read_state(given.clone()).is_ok(), ok, "{given}");
        }
    }
}
