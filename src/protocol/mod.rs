//! The only place that knows message formats: what a sync can say, and who says it.
//!
//! Everything that reaches stdout goes through [`line`].

pub mod airbyte;
pub mod singer;

use std::io::{self, IsTerminal, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::log::{LONGEST, one_line};
use crate::shape::{Deselected, Personal, Records};
use crate::state::{Last, Position};
use crate::streams::Stream;

/// What the settings offer.
#[derive(Debug)]
pub struct Offer {
    /// In our order.
    pub streams: Vec<&'static Stream>,
    pub personal: Personal,
}

impl Offer {
    /// The stream of that name, if it is offered.
    pub fn find(&self, name: &str) -> Option<&'static Stream> {
        self.streams.iter().copied().find(|stream| stream.name == name)
    }

    /// The schema of the records that come out: without the fields that are left out of them.
    pub fn schema(&self, stream: &Stream) -> Value {
        let mut schema = stream.schema();
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.retain(|name, _| !self.leaves_out(stream, name));
        }
        schema
    }

    /// All of a stream, from its beginning.
    pub fn whole(&self, stream: &'static Stream) -> Selected {
        let (schema, deselected, position) = (self.schema(stream), Deselected::default(), Position::Start);
        Selected { stream, schema, deselected, position, last: Last::default(), skip_complete: false }
    }

    fn leaves_out(&self, stream: &Stream, field: &str) -> bool {
        self.personal == Personal::Omit && stream.personal.contains(&field)
    }
}

/// A stream that was asked for, and how.
#[derive(Clone, Debug)]
pub struct Selected {
    pub stream: &'static Stream,
    /// JSON Schema of the records that come out, as the catalog has it.
    pub schema: Value,
    pub deselected: Deselected,
    pub position: Position,
    /// The last complete list, as the state knows it.
    pub last: Last,
    /// Whether the stream is passed over where it has been read to its end.
    pub skip_complete: bool,
}

/// Takes out of a schema, which stands at that path, what `keeps` does not keep. Gives the paths of that.
fn narrow(schema: &mut Value, at: &[&str], keeps: &dyn Fn(&[&str], &Value) -> bool) -> Deselected {
    let mut deselected = Deselected::new();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return deselected;
    };
    properties.retain(|name, property| {
        let path = [at, &[name]].concat();
        let is_kept = keeps(&path, property);
        if is_kept {
            deselected.append(&mut narrow(property, &path, keeps));
        } else {
            deselected.insert(path.into_iter().map(str::to_owned).collect());
        }
        is_kept
    });
    deselected
}

/// Keeps the newest of the states in a file, which may be all that a run has said: one, or, of Airbyte's, one of
/// each stream. `found`: what came next in the file.
pub fn keep_newest(states: &mut Vec<Value>, mut found: Value) {
    let of = |stream: &Value| stream["stream_descriptor"]["name"].clone();
    let begun = &found["trace"]["stream_status"];
    let again = begun["status"] == "STARTED" && states.iter().any(|older| of(&older["stream"]) == of(begun));
    let state = match found["type"].as_str() {
        // Another run stands behind: what the first one finished, it may not have read.
        Some("TRACE") if again => return states.clear(),
        // A line of the log.
        None if found["logger_name"].is_string() => return,
        Some("RECORD" | "SCHEMA" | "ACTIVATE_VERSION" | "BATCH" | "LOG" | "TRACE") => return,
        Some("STATE") if found["state"].is_object() => found["state"].take(),
        _ => found,
    };
    states.retain(|older| of(&older["stream"]) != of(&state["stream"]));
    states.push(state);
}

/// What a sync can say. Owned, because it goes through a channel.
#[derive(Debug)]
pub enum Event {
    /// The stream will be read from this position. `schema`: of its records.
    Started { stream: &'static Stream, schema: Value, position: Position },
    /// Records, and their own stream's position after them: neither can be said without the other.
    /// `tally`: what the stream has brought so far.
    Page {
        stream: &'static Stream,
        records: Records,
        position: Position,
        received_at: DateTime<Utc>,
        tally: Tally,
    },
    /// The service asked to be left alone; the stream goes on at that time.
    RateLimited { stream: &'static Stream, until: DateTime<Utc> },
    /// The stream was read to its end, and its last page has been said, or why it was not.
    Ended { stream: &'static Stream, tally: Tally, outcome: Result<(), Error> },
}

/// What reading a stream took, under the names of columns of its record in the history of runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    pub records: u64,
    pub pages: u64,
    pub requests: u64,
    pub retries: u64,
    #[serde(skip)]
    pub seconds: f64,
    /// Whether an earlier run began the pass; when it began, none if nothing was to be read; and what all of its runs
    /// have brought, as far as it is known.
    pub resumed: bool,
    pub pass_started_at: Option<DateTime<Utc>>,
    /// When this run began with the stream.
    pub started_at: Option<DateTime<Utc>>,
    pub pass_records: Option<u64>,
    pub pass_pages: Option<u64>,
    pub first_request_id: Option<String>,
    pub last_request_id: Option<String>,
    /// Records of the last complete list and of this one, if that is much shorter.
    #[serde(skip)]
    pub shrunk: Option<[u64; 2]>,
}

/// Says events in one protocol's messages.
pub trait Sink: Send {
    /// Appends what is to be written of an event: whole lines, or nothing.
    fn say(&mut self, event: &Event, lines: &mut Vec<u8>);

    /// Tells people how streams ended: in the log, unless it has told them itself.
    fn tell(&self, log: fn(String), words: String) {
        log(words);
    }
}

/// Says nothing: a check only wants to know how each stream ends.
pub struct Silent;

impl Sink for Silent {
    fn say(&mut self, _: &Event, _: &mut Vec<u8>) {}
}

/// What a run has been asked for, in the terms of no protocol.
pub struct Request {
    pub streams: Vec<Selected>,
    /// Streams that are asked for and not offered, and what to do.
    pub missing: Vec<(String, Error)>,
    pub sink: Box<dyn Sink>,
}

/// What a run has been asked for, or what is wrong, `catalog` or `state`, and why, in words.
pub type Asked = Result<Request, (&'static str, String)>;

/// Tells people on stdout how each stream of a sample ended, a line each.
pub struct Verdicts {
    /// Of the longest name of a stream, in characters.
    pub width: usize,
}

impl Sink for Verdicts {
    fn say(&mut self, event: &Event, lines: &mut Vec<u8>) {
        let Event::Ended { stream, tally, outcome } = event else { return };
        let words = match outcome {
            Ok(()) if tally.records == 0 => "no records".to_owned(),
            Ok(()) => format!("{} record read", tally.records),
            Err(error) => format!("{}: {error}", format!("{:?}", error.kind).to_lowercase()),
        };
        let width = self.width;
        lines.extend(format!("{:width$}  {}\n", stream.name, one_line(&words, LONGEST)).into_bytes());
    }

    fn tell(&self, _: fn(String), _: String) {}
}

/// Whether stdout is a terminal.
pub fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Appends a message as a line.
fn push(lines: &mut Vec<u8>, message: &impl Serialize) {
    // Writing a value to a vector cannot fail.
    serde_json::to_writer(&mut *lines, message).unwrap_or_default();
    lines.push(b'\n');
}

/// Writes one message.
///
/// # Errors
/// As [`line`].
pub fn message(message: &Value) -> io::Result<()> {
    line(format!("{message}\n").as_bytes())
}

/// Writes whole lines to stdout at once and flushes them: one page and its state, or one message.
///
/// # Errors
/// Those of stdout; a closed pipe is one of them.
pub fn line(lines: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines)?;
    stdout.flush()
}
