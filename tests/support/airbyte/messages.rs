//! Airbyte's messages stated anew, with unknown fields denied, and the rules that hold for any
//! sequence of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Message {
    Spec {
        spec: Spec,
    },
    ConnectionStatus {
        #[serde(rename = "connectionStatus")]
        status: ConnectionStatus,
    },
    Catalog {
        catalog: Catalog,
    },
    Record {
        record: Record,
    },
    State {
        state: State,
    },
    Log {
        log: Log,
    },
    Trace {
        trace: Trace,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    #[serde(rename = "protocol_version")]
    pub protocol_version: String,
    pub documentation_url: String,
    pub connection_specification: Value,
    #[serde(rename = "supported_destination_sync_modes", default)]
    pub _supported_destination_sync_modes: Vec<DestinationSyncMode>,
    pub supports_normalization: Option<bool>,
    #[serde(rename = "supportsDBT")]
    pub supports_dbt: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DestinationSyncMode {
    Append,
    Overwrite,
    AppendDedup,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionStatus {
    pub status: Outcome,
    pub message: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    Succeeded,
    Failed,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    pub streams: Vec<Offered>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    pub name: String,
    pub json_schema: Value,
    pub supported_sync_modes: Vec<String>,
    pub source_defined_cursor: Option<bool>,
    pub default_cursor_field: Option<Vec<String>>,
    pub source_defined_primary_key: Vec<Vec<String>>,
    pub is_resumable: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub stream: String,
    pub data: Map<String, Value>,
    /// Milliseconds, a whole number.
    pub emitted_at: u64,
    pub meta: Option<Meta>,
}

/// What the source changed about a record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub field: String,
    pub change: String,
    pub reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    #[serde(rename = "type")]
    pub kind: String,
    pub stream: StreamState,
    #[serde(rename = "sourceStats")]
    pub stats: Stats,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamState {
    pub stream_descriptor: Descriptor,
    pub stream_state: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stats {
    pub record_count: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: Level,
    pub message: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Trace {
    Error { emitted_at: u64, error: TraceError },
    StreamStatus { emitted_at: u64, stream_status: StreamStatus },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceError {
    pub message: String,
    pub internal_message: String,
    pub failure_type: FailureType,
    pub stream_descriptor: Option<Descriptor>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum FailureType {
    #[serde(rename = "system_error")]
    System,
    #[serde(rename = "config_error")]
    Config,
    #[serde(rename = "transient_error")]
    Transient,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamStatus {
    pub stream_descriptor: Descriptor,
    pub status: Status,
    #[serde(default)]
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Started,
    Running,
    Complete,
    Incomplete,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Reason {
    RateLimited { rate_limited: Option<RateLimited> },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimited {
    /// Milliseconds since 1970.
    pub quota_reset: u64,
}

/// Reads whole lines; says which line is wrong and how.
pub fn parse(stdout: &str) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    for (index, line) in stdout.lines().enumerate() {
        let wrong = |what: &str| {
            let start: String = line.chars().take(200).collect();
            format!("line {} of stdout: {what}: {start}", index + 1)
        };
        let message: Message = serde_json::from_str(line).map_err(|error| wrong(&error.to_string()))?;
        check(&message, line).map_err(|what| wrong(&what))?;
        messages.push(message);
    }
    Ok(messages)
}

/// What serde does not see.
fn check(message: &Message, line: &str) -> Result<(), String> {
    match message {
        Message::Record { record } if record.data.is_empty() => return Err("empty data".to_owned()),
        Message::Record { record } => {
            let changed = record.meta.as_ref().is_none_or(|meta| !meta.changes.is_empty());
            if !changed || line.contains(r#""meta":null"#) {
                return Err("a meta that says nothing".to_owned());
            }
        }
        Message::State { state } => {
            if state.kind != "STREAM" || state.stream.stream_state.is_empty() {
                return Err("a STATE has type STREAM and says something".to_owned());
            }
            let count = line.split(r#""recordCount":"#).nth(1).unwrap_or_default();
            let count: String = count.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            if !count.ends_with(".0") {
                return Err(format!("recordCount is {count}, without a decimal point"));
            }
        }
        Message::Log { .. } | Message::Trace { .. } | Message::ConnectionStatus { .. } => {
            let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            if has_null(&value) {
                return Err("what is not known is left out, not null".to_owned());
            }
        }
        _ => {}
    }
    Ok(())
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

/// How far a stream has come in a read.
#[derive(Debug, Default)]
struct Course {
    status: Option<Status>,
    since_state: u64,
    records: u64,
    states: u64,
}

/// The order of a read's messages, stream by stream. `ended` unless it was killed.
pub fn check_order(messages: &[Message], configured: &[String], ended: bool) -> Result<(), String> {
    let mut courses = BTreeMap::<&str, Course>::new();
    for message in messages {
        match message {
            Message::Spec { .. } | Message::ConnectionStatus { .. } | Message::Catalog { .. } => {
                return Err("a message of another verb".to_owned());
            }
            Message::Record { record } => {
                let course = courses.entry(&record.stream).or_default();
                if course.status != Some(Status::Running) {
                    return Err(format!("a RECORD of {} that is {:?}", record.stream, course.status));
                }
                course.records += 1;
                course.since_state += 1;
            }
            Message::State { state } => {
                let stream = state.stream.stream_descriptor.name.as_str();
                let course = courses.entry(stream).or_default();
                if !matches!(course.status, Some(Status::Started | Status::Running)) {
                    return Err(format!("a STATE of {stream} that is {:?}", course.status));
                }
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let seen = course.since_state as f64;
                if (state.stats.record_count - seen).abs() > f64::EPSILON {
                    let said = state.stats.record_count;
                    return Err(format!("{stream}: recordCount {said} after {seen} records"));
                }
                course.since_state = 0;
                course.states += 1;
            }
            Message::Trace { trace: Trace::StreamStatus { stream_status, .. } } => {
                let stream = stream_status.stream_descriptor.name.as_str();
                step(stream, courses.entry(stream).or_default(), stream_status)?;
            }
            Message::Log { .. } | Message::Trace { .. } => {}
        }
    }
    if let Some(other) = courses.keys().find(|stream| !configured.iter().any(|name| name == **stream)) {
        return Err(format!("{other} is not in the catalog"));
    }
    for (stream, course) in courses {
        let over = matches!(course.status, Some(Status::Complete | Status::Incomplete));
        if ended && !over {
            return Err(format!("{stream} has no end: {course:?}"));
        }
    }
    Ok(())
}

fn step(stream: &str, course: &mut Course, said: &StreamStatus) -> Result<(), String> {
    let allowed = match (course.status, said.status) {
        (None, Status::Started) => true,
        (Some(Status::Started | Status::Running), Status::Running | Status::Incomplete) => {
            said.status != Status::Incomplete || course.since_state == 0
        }
        (Some(Status::Running), Status::Complete) => course.states > 0 && course.since_state == 0,
        _ => false,
    };
    if !allowed {
        return Err(format!("{stream} is {:?} after {course:?}", said.status));
    }
    if !said.reasons.is_empty() && said.status != Status::Running {
        return Err(format!("{stream}: reasons beside {:?}", said.status));
    }
    course.status = Some(said.status);
    Ok(())
}
