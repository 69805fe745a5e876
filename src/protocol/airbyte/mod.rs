//! Airbyte: the messages of spec, check, discover and read, and state in; its catalog stands in
//! [`catalog`].
//!
//! The shapes are those of Airbyte's protocol, version 0.2.0; optional fields are left out, never null.
//! Knows neither HTTP nor settings.

pub mod catalog;

use std::collections::{HashMap, HashSet};
use std::slice;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Asked, Event, Offer, Request, Sink, push};
use crate::error::{Error, Kind};
use crate::log::{self, LONGEST, Level, one_line};
use crate::state::{Access, BOOKMARK_KEYS, Last, Position};
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
    json!({"type": "CONNECTION_STATUS", "connectionStatus": match failure {
        None => json!({"status": "SUCCEEDED"}),
        Some(words) => json!({"status": "FAILED", "message": one_line(words, LONGEST_CHECK)}),
    }})
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
        "failure_type": match error.kind {
            Kind::Config | Kind::Denied => "config_error",
            Kind::Unavailable => "transient_error",
            Kind::Broken | Kind::Output => "system_error",
        },
    });
    if let Some(stream) = stream {
        fields["stream_descriptor"] = json!({"name": stream});
    }
    json!({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": Utc::now().timestamp_millis(), "error": fields}})
}

/// The last word on a run in which streams failed. Worth trying again only if that helps all of them.
pub fn summary(failed: &[(String, Error)]) -> Value {
    let names: Vec<_> = failed.iter().map(|(stream, _)| stream.as_str()).collect();
    let same = |kind: Kind| failed.iter().all(|(_, error)| error.kind == kind);
    let kind = [Kind::Unavailable, Kind::Broken].into_iter().find(|kind| same(*kind)).unwrap_or(Kind::Config);
    let message = format!("these streams were not read completely: {}", names.join(", "));
    trace_error(&Error::new(kind, message), None)
}

/// What a state holds, by stream: its position, and what is carried on, which is its last complete list.
pub type State = HashMap<&'static str, (Position, Value)>;

/// Reads a state as the platform, PyAirbyte or an old connection hands it over.
///
/// # Errors
/// In words, if it is none of the known forms.
pub fn read_state(state: &Value) -> Result<State, String> {
    let messages = match state {
        Value::Array(messages) => messages.as_slice(),
        Value::Object(_) => slice::from_ref(state),
        _ => return Err("it is neither a list of state messages nor an object".to_owned()),
    };
    // An old connection's object is what a message has as `data`.
    let is_data =
        state.is_object() && ["type", "stream", "global"].iter().all(|key| state.get(key).is_none());
    let mut given = State::new();
    for message in messages {
        let data = if is_data { message } else { &message["data"] };
        // PyAirbyte writes the key `global_`, and null for whatever a message does not have.
        let global = [&message["global"], &message["global_"]];
        let global = global.into_iter().find(|global| global.is_object() && !is_data);
        let streams = match (&message["stream"], global, data) {
            (stream @ Value::Object(_), _, _) => slice::from_ref(stream),
            (_, Some(global), _) => match &global["stream_states"] {
                Value::Array(streams) => streams.as_slice(),
                Value::Null => &[],
                _ => return Err("its `stream_states` is not a list".to_owned()),
            },
            (_, _, Value::Object(by_stream)) => {
                given.extend(by_stream.iter().filter_map(|(name, state)| read_stream(name, state)));
                continue;
            }
            _ => return Err("a message in it contains no state of a stream".to_owned()),
        };
        for stream in streams {
            let name = stream["stream_descriptor"]["name"].as_str().ok_or("a stream in it has no name")?;
            given.extend(read_stream(name, &stream["stream_state"]));
        }
    }
    Ok(given)
}

fn read_stream(name: &str, state: &Value) -> Option<(&'static str, (Position, Value))> {
    let Some(stream) = find(name) else {
        log::warn(format!("the state names a stream {name:?} that this source does not have; it is ignored"));
        return None;
    };
    let is_foreign = BOOKMARK_KEYS.iter().all(|key| state.get(key).is_none());
    let read = match state {
        _ if state[COMPLETE] == true => {
            Access::read(state).map(|access| Position::Complete { access, records: None, next: None })
        }
        _ if state.get(NO_CURSOR).is_some() => Ok(Position::Start),
        Value::Object(keys) if is_foreign && !keys.is_empty() => {
            Err("it has none of the expected keys".to_owned())
        }
        _ => Position::read(state, stream.cursor.is_some()),
    };
    let position = read.unwrap_or_else(|why| {
        log::warn(format!(
            "{name}: its state was not written by this source ({why}); reading it from the first page"
        ));
        Position::Start
    });
    let kept = Last::KEYS.into_iter().map(|key| (key.to_owned(), state[key].clone())).collect();
    Some((stream.name, (position, kept)))
}

/// Says events as Airbyte messages.
#[derive(Default)]
pub struct Airbyte {
    /// Streams that have said RUNNING.
    running: HashSet<&'static str>,
    /// The bookmark of each stream as it was said last.
    bookmarks: HashMap<&'static str, Value>,
}

/// What a configured catalog and a state ask for.
///
/// # Errors
/// Says which of the two is wrong.
pub fn request(catalog: Option<Value>, state: Option<Value>, offer: &Offer) -> Asked {
    let catalog = catalog.ok_or_else(|| ("catalog", "there is none".to_owned()))?;
    let (mut streams, missing) = catalog::select(&catalog, offer).map_err(|why| ("catalog", why))?;
    let state = state.map_or(Ok(State::new()), |state| read_state(&state)).map_err(|why| ("state", why))?;
    for selected in &mut streams {
        let Some((position, kept)) = state.get(selected.stream.name) else { continue };
        (selected.position, selected.last) = (position.clone(), Last::read(kept));
    }
    let bookmarks = state.into_iter().map(|(name, (_, kept))| (name, kept)).collect();
    let sink = Box::new(Airbyte { bookmarks, ..Airbyte::default() });
    Ok(Request { streams, missing, sink })
}

fn status(stream: &Stream, status: &str, rate_limited: Option<DateTime<Utc>>) -> Value {
    let mut fields = json!({"stream_descriptor": {"name": stream.name}, "status": status});
    if let Some(until) = rate_limited {
        let reset = until.timestamp_millis();
        fields["reasons"] = json!([{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": reset}}]);
    }
    let trace = json!({"type": "STREAM_STATUS", "emitted_at": Utc::now().timestamp_millis(), "stream_status": fields});
    json!({"type": "TRACE", "trace": trace})
}

impl Airbyte {
    fn state(&mut self, stream: &Stream, position: &Position, records: usize) -> Value {
        let bookmark = self.bookmarks.entry(stream.name).or_default();
        position.write(bookmark);
        let mut state = bookmark.clone();
        if let Position::Complete { next: None, .. } = position {
            state[COMPLETE] = true.into();
        }
        json!({"type": "STATE", "state": {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream.name}, "stream_state": state},
            // The protocol asks for a decimal point; every page ends with a state, so its records are
            // those since the stream's last one.
            "sourceStats": {"recordCount": records as f64},
        }})
    }
}

impl Sink for Airbyte {
    fn say(&mut self, event: &Event, lines: &mut Vec<u8>) {
        match event {
            Event::Started { stream, .. } => push(lines, &status(stream, "STARTED", None)),
            Event::Page { stream, records, position, .. } => {
                if self.running.insert(stream.name) {
                    push(lines, &status(stream, "RUNNING", None));
                }
                let head = format!(r#"{{"type":"RECORD","record":{{"stream":"{}","data":"#, stream.name);
                let tail = format!(",\"emitted_at\":{}", Utc::now().timestamp_millis());
                for (number, record) in records.iter().enumerate() {
                    lines.extend_from_slice(head.as_bytes());
                    lines.extend_from_slice(record);
                    lines.extend_from_slice(tail.as_bytes());
                    if let Some(fields) = records.nulled.get(&number) {
                        let reason = "SOURCE_SERIALIZATION_ERROR";
                        let change = |field| json!({"field": field, "change": "NULLED", "reason": reason});
                        let meta = json!({"changes": fields.iter().map(change).collect::<Vec<_>>()});
                        lines.extend_from_slice(format!(",\"meta\":{meta}").as_bytes());
                    }
                    lines.extend_from_slice(b"}}\n");
                }
                push(lines, &self.state(stream, position, records.iter().count()));
            }
            Event::RateLimited { stream, until } => push(lines, &status(stream, "RUNNING", Some(*until))),
            Event::Ended { stream, outcome: Ok(()), .. } => push(lines, &status(stream, "COMPLETE", None)),
            Event::Ended { stream, outcome: Err(error), .. } => {
                push(lines, &status(stream, "INCOMPLETE", None));
                push(lines, &trace_error(error, Some(stream.name)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_every_form() {
        let at = json!({"organization_id": "o", "api_key_hash": "k", "partition": null, "page_token": "t", "started_at": "2026-03-02T12:00:00Z", "records": 1, "last_records": null});
        let read = Position::read(&at, false);
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
                Some(Position::Complete { access: Access::default(), records: None, next: None }),
            ),
            (
                json!([{"type": "STREAM", "stream": stream(json!({COMPLETE: true, "organization_id": "o", "api_key_hash": "k", "last_records": 7}))}]),
                Some(Position::Complete { access, records: None, next: None }),
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
            assert_eq!(positions.get("users").map(|(position, _)| position), expected.as_ref(), "{state}");
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
