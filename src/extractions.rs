//! The history of runs: what this run read of each stream, as records of a stream of its own.
//!
//! They are made of the events on their way to the sink, so whatever reads does not know of them. Their texts are our
//! own: a reason says what kind of failure it was, and nothing that a service has said.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::error::{Error, Kind};
use crate::json::{DEEPEST, Tape};
use crate::log;
use crate::partition::Partition;
use crate::protocol::{Event, Selected, Sink, Tally, line};
use crate::shape::{Records, Shape};
use crate::state::{Access, Position};

/// Says the events of a run, and the history with them.
pub struct Extractions {
    pub sink: Box<dyn Sink>,
    pub selected: Selected,
    pub shape: Shape,
    pub access: Access,
    /// Columns that are the same in all records of the run, `run_id` among them. None of a sample, which is not recorded.
    pub facts: Option<Value>,
    /// Streams that have not ended.
    pub left: usize,
    /// Of the history itself.
    pub tally: Tally,
}

impl Extractions {
    /// Begins the history, with streams that failed before anything was read.
    ///
    /// # Errors
    /// Output, if stdout is closed.
    pub fn begin(&mut self, unread: &[(String, Error)]) -> Result<(), Error> {
        let (Selected { stream, schema, position, .. }, mut lines) = (self.selected.clone(), Vec::new());
        self.sink.say(&Event::Started { stream, schema, position }, &mut lines);
        for (name, error) in unread {
            self.record(name, &Tally::default(), Some(error), &mut lines);
        }
        self.end(&mut lines);
        line(&lines).map_err(|cause| Error::output(&cause))
    }

    /// Ends it behind the last stream.
    fn end(&mut self, lines: &mut Vec<u8>) {
        if self.left == 0 {
            // Airbyte wants a state of each stream, also of one without records.
            self.page(Records::default(), lines);
            let (stream, tally) = (self.selected.stream, self.tally.clone());
            self.sink.tell(log::info, format!("{}: complete, records {}", stream.name, tally.records));
            self.sink.say(&Event::Ended { stream, tally, outcome: Ok(()) }, lines);
        }
    }

    fn record(&mut self, name: &str, tally: &Tally, error: Option<&Error>, lines: &mut Vec<u8>) {
        let Some(facts) = &self.facts else { return };
        let (now, mut records) = (Utc::now(), Records::default());
        let failed = error.and_then(|error| error.answer.as_ref()?.request_id.clone());
        let mut row = json!({
            "extraction_id": format!("{}/{name}", facts["run_id"].as_str().unwrap_or_default()),
            "stream": name,
            "outcome": match (error, tally.pass_started_at) {
                (Some(_), _) => "failed",
                (None, None) => "skipped",
                (None, Some(_)) => "complete",
            },
            "reason": error.map(|error| reason(error, tally)),
            "pass_started_at": tally.pass_started_at.map(time),
            "started_at": time(tally.started_at.unwrap_or(now)),
            "ended_at": time(now),
            "last_request_id": failed.as_ref().or(tally.last_request_id.as_ref()),
        });
        for (name, value) in [&json!(tally), facts].into_iter().filter_map(Value::as_object).flatten() {
            if row.get(name).is_none() {
                row[name] = value.clone();
            }
        }
        if let Ok(row) = Tape::read(row.to_string(), DEEPEST) {
            // Our own columns fit.
            let _ = self.shape.fit(row.root(), &Partition::default(), &mut records);
        }
        (self.tally.records, self.tally.pages) = (self.tally.records + 1, self.tally.pages + 1);
        let (access, next) = (self.access.clone(), Some(time(now)));
        self.selected.position = Position::Complete { access, records: None, next };
        self.page(records, lines);
    }

    fn page(&mut self, records: Records, lines: &mut Vec<u8>) {
        let (Selected { stream, position, .. }, tally) = (self.selected.clone(), self.tally.clone());
        self.sink.say(&Event::Page { stream, records, position, received_at: Utc::now(), tally }, lines);
    }
}

impl Sink for Extractions {
    fn say(&mut self, event: &Event, lines: &mut Vec<u8>) {
        let Event::Ended { stream, tally, outcome } = event else { return self.sink.say(event, lines) };
        self.record(stream.name, tally, outcome.as_ref().err(), lines);
        self.sink.say(event, lines);
        self.left = self.left.saturating_sub(1);
        self.end(lines);
    }

    fn tell(&self, log: fn(String), words: String) {
        self.sink.tell(log, words);
    }
}

/// Why a stream failed. Of the error, which may quote the service, only the number of its status is taken over.
fn reason(error: &Error, tally: &Tally) -> String {
    let words = match error.kind {
        Kind::Denied if tally.shrunk.is_some() => "denied: the list has shrunk too far",
        Kind::Denied => "denied: the API key, or its owner, may not see all of it",
        Kind::Unavailable => "unavailable: the service was failing",
        Kind::Config => "config: the settings or the catalog are wrong",
        Kind::Broken | Kind::Output => "broken: the service sent an invalid response",
    };
    error.status().map_or(words.to_owned(), |status| format!("{words} (status {status})"))
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
