//! Airbyte: the messages of spec, check, discover and read, and state in; its catalog stands in
//! [`catalog`].
//!
//! The shapes are those of Airbyte's protocol, version 0.2.0; optional fields are left out, never null.
//! Knows neither HTTP nor settings.

pub mod catalog;

use std::collections::HashMap;
use std::io;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{Event, Offer, Request, Selected, Sink, Wrong, line};
use crate::error::{Error, Kind};
use crate::log::{self, LONGEST, Level, one_line};
use crate::state::{Access, BOOKMARK_KEYS, Position};
use crate::streams::{Stream, find};

/// Where the settings are explained, until the project has a home of its own.
const DOCUMENTATION: &str = "https://docs.confluent.io/cloud/current/api.html";

/// The state of a full refresh that was read to its end.
const COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// The state of a full refresh that cannot be resumed, as other sources write it.
const NO_CURSOR: &str = "__ab_no_cursor_state_message";

pub fn spec(settings: &Value) -> Value {
    json!({"type": "SPEC", "spec": {
        "protocol_version": "0.2.0",
        "documentationUrl": DOCUMENTATION,
        "connectionSpecification": settings,
        "supportsNormalization": false,
        "supportsDBT": false,
        "supported_destination_sync_modes": ["append", "overwrite", "append_dedup"],
    }})
}

/// Longest message of a failed check, in characters: it names every stream that cannot be read.
const LONGEST_CHECK: usize = 5 * LONGEST;

/// How a check ended: with nothing to say, or with what is missing, in words.
pub fn connection_status(failure: Option<&str>) -> Value {
    let status = match failure {
        None => json!({"status": "SUCCEEDED"}),
        Some(words) => json!({"status": "FAILED", "message": one_line(words, LONGEST_CHECK)}),
    };
    json!({"type": "CONNECTION_STATUS", "connectionStatus": status})
}

pub fn catalog(offer: &Offer) -> Value {
    json!({"type": "CATALOG", "catalog": catalog::discover(offer)})
}

pub fn log_message(level: Level, words: &str) -> Value {
    let level = format!("{level:?}").to_uppercase();
    json!({"type": "LOG", "log": {"level": level, "message": words}})
}

/// An error, of a stream or of the whole run.
pub fn trace_error(error: &Error, stream: Option<&str>) -> Value {
    let mut fields = json!({
        "message": one_line(&error.message, LONGEST),
        "internal_message": one_line(&error.to_string(), LONGEST),
        "failure_type": failure_type(error.kind),
    });
    if let Some(stream) = stream {
        fields["stream_descriptor"] = json!({"name": stream});
    }
    json!({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": now(), "error": fields}})
}

/// The last word on a run in which streams failed. Worth trying again only if that helps all of them.
pub fn summary(failed: &[(String, Error)]) -> Value {
    let names: Vec<_> = failed.iter().map(|(stream, _)| stream.as_str()).collect();
    let same = |kind: Kind| failed.iter().all(|(_, error)| error.kind == kind);
    let kind = [Kind::Unavailable, Kind::Broken].into_iter().find(|kind| same(*kind)).unwrap_or(Kind::Config);
    let message = format!("these streams were not read to their end: {}", names.join(", "));
    trace_error(&Error::new(kind, message), None)
}

fn failure_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Config | Kind::Denied => "config_error",
        Kind::Unavailable => "transient_error",
        Kind::Broken | Kind::Output => "system_error",
    }
}

fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// What a state holds of one stream: its bookmark as it was given, and the position in it.
type Bookmarked = (Map<String, Value>, Position);

/// What a state holds, by stream.
pub type Given = HashMap<&'static str, Bookmarked>;

/// Reads a state as the platform, PyAirbyte or an old connection hands it over.
///
/// # Errors
/// In words, if it is none of the known forms.
pub fn read_state(state: &Value) -> Result<Given, String> {
    let messages = match state {
        Value::Array(messages) => messages.as_slice(),
        Value::Object(fields) if ["type", "stream", "global"].iter().any(|key| fields.contains_key(*key)) => {
            std::slice::from_ref(state)
        }
        Value::Object(by_stream) => {
            return Ok(by_stream.iter().filter_map(|(name, state)| position(name, state)).collect());
        }
        _ => return Err("it is neither a list of state messages nor an object".to_owned()),
    };
    let mut positions = HashMap::new();
    for message in messages {
        // PyAirbyte writes the key `global_`, and null for whatever a message does not have.
        let global = [&message["global"], &message["global_"]].into_iter().find(|global| global.is_object());
        let streams: Vec<&Value> = match (&message["stream"], global, &message["data"]) {
            (stream @ Value::Object(_), _, _) => vec![stream],
            (_, Some(global), _) => match &global["stream_states"] {
                Value::Array(streams) => streams.iter().collect(),
                Value::Null => Vec::new(),
                _ => return Err("the `stream_states` in it are not a list".to_owned()),
            },
            (_, _, Value::Object(by_stream)) => {
                positions.extend(by_stream.iter().filter_map(|(name, state)| position(name, state)));
                continue;
            }
            _ => return Err("a message in it holds no state of a stream".to_owned()),
        };
        for stream in streams {
            let name = stream["stream_descriptor"]["name"].as_str().ok_or("a stream in it has no name")?;
            positions.extend(position(name, &stream["stream_state"]));
        }
    }
    Ok(positions)
}

fn position(name: &str, state: &Value) -> Option<(&'static str, Bookmarked)> {
    let Some(stream) = find(name) else {
        log::warn(format!("the state names a stream {name:?} that is not of this source; it is ignored"));
        return None;
    };
    let given = state.as_object().cloned().unwrap_or_default();
    let position = match state {
        Value::Null => Ok(Position::Start),
        Value::Object(state) if state.get(COMPLETE) == Some(&Value::Bool(true)) => {
            Access::from_bookmark(state).map(|access| Position::Complete { access, records: None })
        }
        Value::Object(state) if state.contains_key(NO_CURSOR) => Ok(Position::Start),
        Value::Object(state)
            if !state.is_empty() && !BOOKMARK_KEYS.iter().any(|key| state.contains_key(*key)) =>
        {
            Err("it has no key of ours".to_owned())
        }
        Value::Object(state) => Position::from_bookmark(state),
        _ => Err("it is not an object".to_owned()),
    };
    let position = position.unwrap_or_else(|why| {
        log::warn(format!("{name}: its state is not one of this source ({why}); reading it from page one"));
        Position::Start
    });
    Some((stream.name, (given, position)))
}

/// Says events as Airbyte messages.
pub struct Airbyte {
    /// Streams that have said RUNNING.
    running: Vec<&'static str>,
    /// The bookmark of each stream as it was said last.
    bookmarks: HashMap<&'static str, Map<String, Value>>,
    lines: Vec<u8>,
}

/// What a configured catalog and a state ask for.
///
/// # Errors
/// Says which of the two is wrong.
pub fn request(catalog: Option<Value>, state: Option<Value>, offer: &Offer) -> Result<Request, Wrong> {
    let catalog = catalog.ok_or_else(|| ("catalog", "there is none".to_owned()))?;
    let (wanted, missing) = catalog::select(&catalog, offer).map_err(|why| ("catalog", why))?;
    let mut given =
        state.map_or(Ok(Given::new()), |state| read_state(&state)).map_err(|why| ("state", why))?;
    let sink = Box::new(Airbyte::new(&given));
    let streams = wanted.into_iter().map(|selected| {
        let position = given.remove(selected.stream.name).map_or(Position::Start, |(_, position)| position);
        Selected { position, ..selected }
    });
    Ok(Request { streams: streams.collect(), missing, sink })
}

impl Airbyte {
    /// `given`: a state whose numbers of last passes are carried on.
    fn new(given: &Given) -> Airbyte {
        let last = |bookmark: &Map<String, Value>| {
            let last = bookmark.get("last_records").cloned().unwrap_or_default();
            Map::from_iter([("last_records".to_owned(), last)])
        };
        let bookmarks = given.iter().map(|(name, (bookmark, _))| (*name, last(bookmark))).collect();
        Airbyte { running: Vec::new(), bookmarks, lines: Vec::new() }
    }

    fn push(&mut self, message: &Value) {
        self.lines.extend_from_slice(message.to_string().as_bytes());
        self.lines.push(b'\n');
    }

    fn push_status(&mut self, stream: &Stream, status: &str, rate_limited: Option<DateTime<Utc>>) {
        let mut fields = json!({"stream_descriptor": {"name": stream.name}, "status": status});
        if let Some(until) = rate_limited {
            let reset = until.timestamp_millis();
            fields["reasons"] = json!([{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": reset}}]);
        }
        self.push(&json!({"type": "TRACE", "trace": {
            "type": "STREAM_STATUS", "emitted_at": now(), "stream_status": fields,
        }}));
    }

    fn push_state(&mut self, stream: &Stream, position: &Position, records: usize) {
        let bookmark = self.bookmarks.entry(stream.name).or_default();
        position.into_bookmark(bookmark);
        let mut state = bookmark.clone();
        if let Position::Complete { access, .. } = position {
            state.insert(COMPLETE.to_owned(), true.into());
            access.into_bookmark(&mut state);
        }
        self.push(&json!({"type": "STATE", "state": {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream.name}, "stream_state": state},
            // The protocol asks for a decimal point; every page ends with a state, so its records are
            // those since the stream's last one.
            "sourceStats": {"recordCount": records as f64},
        }}));
    }
}

impl Sink for Airbyte {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.lines.clear();
        match event {
            Event::Started { stream, .. } => self.push_status(stream, "STARTED", None),
            Event::Page { stream, records, position, .. } => {
                if !self.running.contains(&stream.name) {
                    self.running.push(stream.name);
                    self.push_status(stream, "RUNNING", None);
                }
                let head = format!(r#"{{"type":"RECORD","record":{{"stream":"{}","data":"#, stream.name);
                let tail = format!(",\"emitted_at\":{}", now());
                for (number, record) in records.iter().enumerate() {
                    self.lines.extend_from_slice(head.as_bytes());
                    self.lines.extend_from_slice(record);
                    self.lines.extend_from_slice(tail.as_bytes());
                    if let Some(fields) = records.nulled.get(&number) {
                        let reason = "SOURCE_SERIALIZATION_ERROR";
                        let change = |field| json!({"field": field, "change": "NULLED", "reason": reason});
                        let meta = json!({"changes": fields.iter().map(change).collect::<Vec<_>>()});
                        self.lines.extend_from_slice(format!(",\"meta\":{meta}").as_bytes());
                    }
                    self.lines.extend_from_slice(b"}}\n");
                }
                self.push_state(stream, position, records.len());
            }
            Event::RateLimited { stream, until } => self.push_status(stream, "RUNNING", Some(*until)),
            Event::Finished { stream, .. } => self.push_status(stream, "COMPLETE", None),
            Event::Failed { stream, error, .. } => {
                self.push_status(stream, "INCOMPLETE", None);
                self.push(&trace_error(error, Some(stream.name)));
            }
        }
        line(&self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_every_form() {
        let at = json!({"organization_id": "o", "api_key_hash": "k", "partition": null, "page_token": "t", "started_at": "2026-03-02T12:00:00Z", "records": 1, "last_records": null});
        let read = Position::from_bookmark(at.as_object().unwrap());
        let Ok(Position::At(place)) = read else { panic!() };
        let access = place.access.clone();
        let stream = |state: Value| json!({"stream_descriptor": {"name": "users", "namespace": null}, "stream_state": state});
        let table = [
            (json!([]), None),
            (json!({}), None),
            (json!([{"type": "STREAM", "stream": stream(at.clone())}]), Some(Position::At(place.clone()))),
            (json!({"type": "STREAM", "stream": stream(at.clone())}), Some(Position::At(place.clone()))),
            (
                json!([{"type": "STREAM", "stream": stream(at.clone()), "global_": null, "data": null,
                        "sourceStats": {"recordCount": 1.0}, "destinationStats": null}]),
                Some(Position::At(place.clone())),
            ),
            (
                json!([{"type": "GLOBAL", "global": {"shared_state": null, "stream_states": [stream(at.clone())]}}]),
                Some(Position::At(place.clone())),
            ),
            (
                json!([{"type": "GLOBAL", "global_": {"stream_states": [stream(at.clone())]}}]),
                Some(Position::At(place.clone())),
            ),
            (json!([{"type": "LEGACY", "data": {"users": at}}]), Some(Position::At(place.clone()))),
            (json!({"users": at}), Some(Position::At(place))),
            (
                json!([{"type": "STREAM", "stream": stream(json!({COMPLETE: true}))}]),
                Some(Position::Complete { access: Access::default(), records: None }),
            ),
            (
                json!([{"type": "STREAM", "stream": stream(json!({COMPLETE: true, "organization_id": "o", "api_key_hash": "k", "last_records": 7}))}]),
                Some(Position::Complete { access, records: None }),
            ),
            (
                json!([{"type": "STREAM", "stream": stream(json!({COMPLETE: true, "organization_id": 5}))}]),
                Some(Position::Start),
            ),
            (json!([{"type": "STREAM", "stream": stream(json!({NO_CURSOR: true}))}]), Some(Position::Start)),
            (json!([{"type": "STREAM", "stream": stream(Value::Null)}]), Some(Position::Start)),
            (json!([{"type": "STREAM", "stream": stream(json!({}))}]), Some(Position::Start)),
            (json!([{"type": "STREAM", "stream": stream(json!({"page_token": 5}))}]), Some(Position::Start)),
            (json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "issues"}}}]), None),
        ];
        for (state, expected) in table {
            let positions = read_state(&state).unwrap_or_else(|why| panic!("{state}: {why}"));
            assert_eq!(positions.get("users").map(|(_, position)| position), expected.as_ref(), "{state}");
        }
        for state in [
            json!(5),
            json!("x"),
            json!([5]),
            json!([{}]),
            json!([{"type": "STREAM", "stream": {}}]),
            json!([{"type": "GLOBAL", "global": {"stream_states": 5}}]),
        ] {
            assert!(read_state(&state).is_err(), "{state}");
        }
    }

    #[test]
    fn a_summary_is_transient_only_if_every_cause_is() {
        let of = |kinds: &[Kind]| {
            let failed: Vec<_> =
                kinds.iter().map(|kind| ("users".to_owned(), Error::new(*kind, "x"))).collect();
            summary(&failed)["trace"]["error"]["failure_type"].as_str().unwrap().to_owned()
        };
        assert_eq!(of(&[Kind::Unavailable, Kind::Unavailable]), "transient_error");
        assert_eq!(of(&[Kind::Unavailable, Kind::Denied]), "config_error");
        assert_eq!(of(&[Kind::Broken]), "system_error");
        assert_eq!(of(&[Kind::Config, Kind::Broken]), "config_error");
    }
}
