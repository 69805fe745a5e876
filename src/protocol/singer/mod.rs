//! Singer: state in, SCHEMA, RECORD and STATE lines out; its catalog stands in [`catalog`].
//!
//! The shapes are those of the Singer specification and its SDK; where they differ from each other, what
//! Meltano writes is read. Knows neither HTTP nor settings.

pub mod catalog;

use std::collections::HashMap;
use std::io;

use chrono::{SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Event, Offer, Request, Selected, Sink, Wrong, line};
use crate::log::{self, Level};
use crate::state::{BOOKMARK_KEYS, Position};
use crate::streams::{Stream, find};

/// A state as it was given. What is not ours in it is carried over unchanged.
#[derive(Debug, Default)]
pub struct State {
    value: Map<String, Value>,
}

impl State {
    /// Reads a state: the object itself, or a whole STATE message. Says what is foreign in it.
    ///
    /// # Errors
    /// In words, if it or `bookmarks` is not an object.
    pub fn read(value: Value) -> Result<State, String> {
        let Value::Object(mut value) = value else { return Err("it is not a JSON object".to_owned()) };
        if value.get("type").and_then(Value::as_str) == Some("STATE")
            && let Some(Value::Object(inner)) = value.remove("value")
        {
            value = inner;
        }
        let bookmarks = value.entry("bookmarks").or_insert_with(|| json!({}));
        if bookmarks.is_null() {
            *bookmarks = json!({});
        }
        let bookmarks = bookmarks.as_object_mut().ok_or("its `bookmarks` are not an object")?;
        bookmarks.iter_mut().for_each(|(name, bookmark)| mend(name, bookmark));
        let foreign = |name: &&String| find(name).is_none();
        let mut strange: Vec<String> =
            bookmarks.keys().filter(foreign).map(|name| format!("{name:?}")).collect();
        for (name, bookmark) in bookmarks.iter().filter(|(name, _)| find(name).is_some()) {
            let keys = bookmark.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
            let keys = keys.filter(|key| !BOOKMARK_KEYS.contains(key));
            strange.extend(keys.map(|key| format!("{:?}", format!("{name}.{key}"))));
        }
        let top = value.keys().filter(|key| !["bookmarks", "currently_syncing"].contains(&key.as_str()));
        strange.extend(top.map(|key| format!("{key:?}")));
        if !strange.is_empty() {
            log::warn(format!(
                "the state holds what is not of this tap, carried over unchanged: {}",
                strange.join(", ")
            ));
        }
        value.get_mut("currently_syncing").map(Value::take);
        Ok(State { value })
    }

    /// The position of a stream.
    pub fn position(&self, stream: &Stream) -> Position {
        let bookmark = self.value.get("bookmarks").and_then(|bookmarks| bookmarks.get(stream.name));
        let bookmark = bookmark.and_then(Value::as_object);
        let position = bookmark.and_then(|bookmark| Position::from_bookmark(bookmark).ok());
        position.unwrap_or(Position::Start)
    }

    fn set(&mut self, stream: &Stream, position: &Position) {
        let bookmarks = self.value.entry("bookmarks").or_insert_with(|| json!({}));
        let mut bookmark = bookmarks[stream.name].as_object().cloned().unwrap_or_default();
        position.into_bookmark(&mut bookmark);
        bookmarks[stream.name] = bookmark.into();
    }
}

/// Makes a bookmark of ours one that we write: a null that turned into an object later would break
/// Meltano's merge of states. What cannot be read as a position is told, and starts over.
fn mend(name: &str, bookmark: &mut Value) {
    if find(name).is_none() {
        return;
    }
    let why = match bookmark {
        Value::Null => None,
        Value::Object(bookmark) => match Position::from_bookmark(bookmark) {
            Ok(_) => return,
            Err(why) => Some(why),
        },
        _ => Some("it is not an object".to_owned()),
    };
    if let Some(why) = why {
        log::warn(format!("{name}: its state is not one of this tap ({why}); reading it from page one"));
    }
    let mut mended = bookmark.as_object().cloned().unwrap_or_default();
    Position::Start.into_bookmark(&mut mended);
    *bookmark = Value::Object(mended);
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
pub fn request(
    catalog: Option<Value>,
    state: Option<Value>,
    offer: &Offer,
    versions: bool,
) -> Result<Request, Wrong> {
    let catalog = catalog.unwrap_or_else(|| catalog::discover(offer));
    let selected = catalog::select(&catalog, offer).map_err(|why| ("catalog", why))?;
    let state = state.map_or(Ok(State::default()), State::read).map_err(|why| ("state", why))?;
    let position = |selected: Selected| Selected { position: state.position(selected.stream), ..selected };
    let streams = selected.into_iter().map(position).collect();
    let sink = Singer { state, versions: versions.then(HashMap::new), lines: Vec::new() };
    Ok(Request { streams, missing: Vec::new(), sink: Box::new(sink) })
}

/// Says events as Singer messages. Puts the full state together after each page, once its records are in
/// the same write.
pub struct Singer {
    state: State,
    /// The version of each stream's rows, if versions are to be said.
    versions: Option<HashMap<&'static str, i64>>,
    lines: Vec<u8>,
}

impl Singer {
    fn push(&mut self, message: &Value) {
        self.lines.extend_from_slice(message.to_string().as_bytes());
        self.lines.push(b'\n');
    }

    fn push_state(&mut self) {
        let state = json!({"type": "STATE", "value": self.state.value});
        self.push(&state);
    }
}

impl Sink for Singer {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.lines.clear();
        match event {
            Event::Started { stream, schema, position } => {
                self.state.set(stream, position);
                self.push(&json!({
                    "type": "SCHEMA", "stream": stream.name, "schema": schema, "key_properties": [stream.key],
                }));
                // Targets of the PipelineWise lineage take the first STATE they see for one whose records
                // are stored, so one stands before the first record.
                self.push_state();
            }
            Event::Page { stream, records, position, received_at, began, .. } => {
                let time = received_at.to_rfc3339_opts(SecondsFormat::Millis, true);
                let head = format!(r#"{{"type":"RECORD","stream":"{}","record":"#, stream.name);
                let mut version = String::new();
                if let Some(versions) = &mut self.versions {
                    versions.insert(stream.name, began.timestamp_millis());
                    version = format!(",\"version\":{}", began.timestamp_millis());
                }
                let tail = format!(",\"time_extracted\":\"{time}\"{version}}}\n");
                for record in records.iter() {
                    self.lines.extend_from_slice(head.as_bytes());
                    self.lines.extend_from_slice(record);
                    self.lines.extend_from_slice(tail.as_bytes());
                }
                self.state.set(stream, position);
                self.push_state();
            }
            // Targets drop the rows of older versions at once, so this is said last, and only of a stream that
            // was read to its end.
            Event::Finished { stream, .. } => {
                let version = self.versions.as_ref().and_then(|versions| versions.get(stream.name)).copied();
                let Some(version) = version else { return Ok(()) };
                self.push(&json!({"type": "ACTIVATE_VERSION", "stream": stream.name, "version": version}));
            }
            Event::RateLimited { .. } | Event::Failed { .. } => return Ok(()),
        }
        line(&self.lines)
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
            assert_eq!(State::read(given.clone()).is_ok(), ok, "{given}");
        }
    }
}
