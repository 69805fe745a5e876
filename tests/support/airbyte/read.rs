//! Running the binary as an Airbyte source: catalogs to read by, and what a run said. Every run is
//! parsed by our own statement of the messages and by the protocol's own models, held against the
//! order of messages, and has an empty stderr.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use simulator::Simulator;

use super::messages::{
    Catalog, Change, ConnectionStatus, FailureType, Level, Message, Outcome, Status, StreamStatus, Trace,
    TraceError, check_order, parse,
};
use super::models::Models;
use super::states::is_complete;
use crate::support::{EVERY, HISTORY, Run, STREAMS, Spawned, Tap, key_of, offering, same_ids, tap};

/// What a run said, and the run itself, which tells its story if the test fails.
pub struct Heard {
    pub run: Run,
    pub messages: Vec<Message>,
}

/// The streams that Airbyte's `discover` offers, as they are printed.
pub fn discovered(tap: Tap<'_>) -> Vec<Value> {
    let heard = verb(tap, "discover").expect_code(0);
    let line = heard.run.stdout.lines().find(|line| line.starts_with(r#"{"type":"CATALOG""#)).unwrap();
    let value: Value = serde_json::from_str(line).unwrap();
    value["catalog"]["streams"].as_array().unwrap().clone()
}

/// All streams that can be offered.
fn offered() -> &'static [Value] {
    static OFFERED: OnceLock<Vec<Value>> = OnceLock::new();
    OFFERED.get_or_init(|| discovered(offering(&[&EVERY[..], &[HISTORY]].concat())))
}

/// A configured catalog of these streams.
pub fn catalog_of(streams: &[&str], sync_mode: &str) -> Value {
    let offered = offered();
    let streams: Vec<Value> = streams
        .iter()
        .map(|name| {
            let stream = offered.iter().find(|stream| stream["name"] == **name).expect("it is offered");
            json!({
                "stream": stream, "sync_mode": sync_mode, "destination_sync_mode": "overwrite",
                "generation_id": 3, "minimum_generation_id": 3, "sync_id": 17, "primary_key": [[key_of(name)]],
                "cursor_field": [], "include_files": null, "x_unknown": {},
            })
        })
        .collect();
    json!({ "streams": streams })
}

/// A configured catalog of all four streams, as the platform makes it.
pub fn catalog() -> Value {
    catalog_of(&STREAMS, "full_refresh")
}

/// A verb other than read.
pub fn verb(tap: Tap<'_>, verb: &str) -> Heard {
    Heard::new(tap.verb(verb).run(), &[])
}

pub fn check(tap: Tap<'_>) -> Heard {
    verb(tap, "check")
}

/// `read` with this catalog, to its end.
pub fn read(tap: Tap<'_>, catalog: &Value) -> Heard {
    Heard::new(reading(tap, catalog).run(), &names(catalog))
}

/// The whole organization, by the catalog of the platform.
pub fn read_all(sim: &Simulator) -> Heard {
    read(tap(sim), &catalog())
}

/// `read` with this catalog, begun; to be ended by [`ended`].
pub fn begin<'s>(tap: Tap<'s>, catalog: &Value) -> Spawned<'s> {
    reading(tap, catalog).spawn()
}

/// What a read that was begun has said in the end.
pub fn ended(run: Run, catalog: &Value) -> Heard {
    Heard::new(run, &names(catalog))
}

fn reading<'s>(tap: Tap<'s>, catalog: &Value) -> Tap<'s> {
    tap.verb("read").speaks_airbyte().catalog(catalog)
}

fn names(catalog: &Value) -> Vec<String> {
    let streams = catalog["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |stream: &Value| stream["stream"]["name"].as_str().map(str::to_owned);
    streams.iter().filter_map(name).collect()
}

/// What the source says it changed, record by record.
pub fn changes(heard: &Heard) -> Vec<Vec<Change>> {
    let mut all = Vec::new();
    for message in &heard.messages {
        if let Message::Record { record } = message {
            all.push(record.meta.as_ref().map(|meta| meta.changes.clone()).unwrap_or_default());
        }
    }
    all
}

impl Heard {
    fn new(run: Run, configured: &[String]) -> Self {
        let was_cut = run.signal() == Some(9);
        assert!(
            was_cut || run.stdout.ends_with('\n'),
            "the last line of stdout is cut off, or there is none"
        );
        assert_eq!(run.stderr, "", "stderr is not empty");
        let whole = run.whole_lines().to_owned();
        let messages = parse(&whole).unwrap_or_else(|error| panic!("{error}"));
        Models::assert_read(&whole);
        if !configured.is_empty() {
            let was_stopped = run.signal().is_some();
            check_order(&messages, configured, !was_stopped).unwrap_or_else(|error| panic!("{error}"));
        }
        let heard = Self { run, messages };
        if !configured.is_empty() && heard.run.signal().is_none() {
            let all = configured.iter().all(|stream| heard.statuses(stream).contains(&Status::Complete));
            assert_eq!(heard.run.code(), Some(i32::from(!all)), "exit code");
            assert_eq!(heard.errors().is_empty(), all, "TRACE ERROR and exit code disagree");
        }
        heard
    }

    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.run.code(), Some(code), "exit code");
        self
    }

    pub fn records(&self, stream: &str) -> Vec<Value> {
        let mut records = Vec::new();
        for message in &self.messages {
            if let Message::Record { record } = message
                && record.stream == stream
            {
                records.push(Value::from(record.data.clone()));
            }
        }
        records
    }

    pub fn emitted(&self) -> Vec<u64> {
        let mut moments = Vec::new();
        for message in &self.messages {
            if let Message::Record { record } = message {
                moments.push(record.emitted_at);
            }
        }
        moments
    }

    /// What the STATEs of a stream say, and how many records each counts.
    pub fn states(&self, stream: &str) -> Vec<(Map<String, Value>, f64)> {
        let mut states = Vec::new();
        for message in &self.messages {
            if let Message::State { state } = message
                && state.stream.stream_descriptor.name == stream
            {
                states.push((state.stream.stream_state.clone(), state.stats.record_count));
            }
        }
        states
    }

    #[track_caller]
    pub fn last_state(&self, stream: &str) -> Value {
        Value::from(self.states(stream).pop().unwrap_or_else(|| panic!("no STATE of {stream}")).0)
    }

    /// The last STATE of each stream, as the platform hands them back.
    pub fn state_file(&self) -> Value {
        let mut last = Map::new();
        for line in self.run.whole_lines().lines().filter(|line| line.starts_with(r#"{"type":"STATE""#)) {
            let state = serde_json::from_str::<Value>(line).unwrap()["state"].take();
            let name = state["stream"]["stream_descriptor"]["name"].as_str().unwrap().to_owned();
            last.insert(name, state);
        }
        last.into_iter().map(|(_, state)| state).collect()
    }

    pub fn stream_statuses(&self, stream: &str) -> Vec<StreamStatus> {
        let mut statuses = Vec::new();
        for message in &self.messages {
            if let Message::Trace { trace: Trace::StreamStatus { stream_status, .. } } = message
                && stream_status.stream_descriptor.name == stream
            {
                statuses.push(stream_status.clone());
            }
        }
        statuses
    }

    pub fn statuses(&self, stream: &str) -> Vec<Status> {
        self.stream_statuses(stream).iter().map(|status| status.status).collect()
    }

    pub fn errors(&self) -> Vec<TraceError> {
        let mut errors = Vec::new();
        for message in &self.messages {
            if let Message::Trace { trace: Trace::Error { error, .. } } = message {
                errors.push(error.clone());
            }
        }
        errors
    }

    /// The one TRACE ERROR of a stream.
    #[track_caller]
    pub fn error_of(&self, stream: &str) -> TraceError {
        let of = |error: &TraceError| error.stream_descriptor.as_ref().is_some_and(|of| of.name == stream);
        let mut errors: Vec<TraceError> = self.errors().into_iter().filter(of).collect();
        assert_eq!(errors.len(), 1, "TRACE ERRORs of {stream}");
        errors.remove(0)
    }

    /// The one TRACE ERROR of no stream, which is the last message but for LOGs.
    #[track_caller]
    pub fn summary(&self) -> TraceError {
        let none = |error: &TraceError| error.stream_descriptor.is_none();
        let mut errors: Vec<TraceError> = self.errors().into_iter().filter(none).collect();
        assert_eq!(errors.len(), 1, "TRACE ERRORs of no stream");
        let last = self.messages.iter().rev().find(|message| !matches!(message, Message::Log { .. }));
        let is_last =
            matches!(last, Some(Message::Trace { trace: Trace::Error { error, .. } }) if none(error));
        assert!(is_last, "something follows the summary: {last:?}");
        errors.remove(0)
    }

    /// The one TRACE ERROR there is.
    #[track_caller]
    pub fn only_error(&self, kind: FailureType, words: &[&str]) {
        let errors = self.errors();
        assert_eq!(errors.len(), 1, "TRACE ERRORs");
        assert_eq!(errors[0].failure_type, kind, "{}", errors[0].message);
        has_words(&errors[0].message, words);
    }

    pub fn logs(&self, level: Level) -> Vec<&str> {
        let mut logs = Vec::new();
        for message in &self.messages {
            if let Message::Log { log } = message
                && log.level == level
            {
                logs.push(log.message.as_str());
            }
        }
        logs
    }

    /// One LOG of this level has all of these words.
    #[track_caller]
    pub fn expect_log(&self, level: Level, words: &[&str]) {
        let logs = self.logs(level);
        let has = |log: &&&str| words.iter().all(|word| log.to_lowercase().contains(&word.to_lowercase()));
        assert!(logs.iter().any(|log| has(&log)), "no {level:?} LOG has all of {words:?}: {logs:?}");
    }

    /// The one CONNECTION_STATUS; the exit code is 0 whatever it says.
    #[track_caller]
    pub fn connection(&self) -> ConnectionStatus {
        assert_eq!(self.run.code(), Some(0), "exit code of check");
        let mut found = Vec::new();
        for message in &self.messages {
            match message {
                Message::ConnectionStatus { status } => found.push(status.clone()),
                Message::Log { .. } => {}
                other => panic!("check said {other:?}"),
            }
        }
        assert_eq!(found.len(), 1, "CONNECTION_STATUS messages");
        found.remove(0)
    }

    /// FAILED with one message that has all of these words.
    #[track_caller]
    pub fn failed(&self, words: &[&str]) -> String {
        let connection = self.connection();
        assert_eq!(connection.status, Outcome::Failed);
        let message = connection.message.expect("FAILED says why");
        has_words(&message, words);
        message
    }

    #[track_caller]
    pub fn succeeded(&self) {
        assert_eq!(self.connection().status, Outcome::Succeeded);
    }

    #[track_caller]
    pub fn catalog(&self) -> Catalog {
        let catalogs = self.messages.iter().filter_map(|message| match message {
            Message::Catalog { catalog } => Some(catalog.clone()),
            _ => None,
        });
        let mut catalogs: Vec<Catalog> = catalogs.collect();
        assert_eq!(catalogs.len(), 1, "CATALOG messages");
        catalogs.remove(0)
    }

    /// Each id of the truth exactly once, and the stream said to be complete.
    #[track_caller]
    pub fn assert_whole_of(&self, sim: &Simulator, streams: &[&str]) {
        for stream in streams {
            same_ids(stream, &self.records(stream), &sim.truth().ids(stream));
            assert!(is_complete(&self.last_state(stream)), "last STATE of {stream}");
            assert_eq!(self.statuses(stream).last(), Some(&Status::Complete), "last status of {stream}");
        }
    }

    #[track_caller]
    pub fn assert_whole(&self, sim: &Simulator) {
        self.assert_whole_of(sim, &STREAMS);
        assert_eq!(self.run.code(), Some(0), "exit code");
    }

    /// The requests for one stream.
    pub fn asked(&self, stream: &str) -> usize {
        self.run.asked(stream).len()
    }
}

/// A text has all of these words, in whatever case.
#[track_caller]
pub fn has_words(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.to_lowercase().contains(&word.to_lowercase()), "nothing of `{word}` in: {text}");
    }
}
