//! What a run came to. If the test fails while a `Run` lives, it tells its whole story.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use simulator::Request;
use tempfile::TempDir;

use super::messages::{Message, parse};
use super::whole::id_of;

pub struct Run {
    pub command: String,
    pub seed: Option<u64>,
    pub status: ExitStatus,
    pub seconds: f64,
    pub stdout: String,
    /// Its lines without their timestamps, which each line of the log has to have.
    pub stderr: String,
    /// Empty unless the run speaks Singer.
    pub messages: Vec<Message>,
    /// What the simulator was asked by this run.
    pub requests: Vec<Request>,
    pub(super) _files: Rc<TempDir>,
}

impl Run {
    /// What holds for every run: no secret anywhere, no panic, and only whole messages of Singer.
    pub(super) fn checked(mut self, speaks_singer: bool, is_read: bool, secrets: &[String]) -> Self {
        super::watch::assert_no_credentials();
        for secret in secrets {
            assert!(!self.stdout.contains(secret), "the secret is on stdout");
            assert!(!self.stderr.contains(secret), "the secret is on stderr");
        }
        assert!(!self.stderr.contains("panicked"), "it panicked");
        if speaks_singer {
            let whole = self.whole_lines().to_owned();
            let cut = whole.len() < self.stdout.len();
            assert!(!cut || !is_read || self.signal() == Some(9), "the last line is cut off");
            self.messages = parse(&whole).unwrap_or_else(|error| panic!("{error}"));
        }
        self
    }

    /// Stdout as far as its last line break.
    pub fn whole_lines(&self) -> &str {
        &self.stdout[..self.stdout.rfind('\n').map_or(0, |end| end + 1)]
    }

    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "exit code");
        self
    }

    /// One of stderr's lines of this level holds all of these.
    pub fn says(&self, level: &str, words: &[&str]) -> bool {
        let mut lines = self.stderr.lines().filter(|line| line.starts_with(level));
        lines.any(|line| words.iter().all(|word| line.to_lowercase().contains(&word.to_lowercase())))
    }

    #[track_caller]
    pub fn expect_line<const N: usize>(self, level: &str, words: [&str; N]) -> Self {
        assert!(self.says(level, &words), "no {level} line of stderr has all of {words:?}");
        self
    }

    /// An error that a person can act on: this code, one ERROR paragraph with all these words,
    /// nothing on stdout.
    #[track_caller]
    pub fn expect_refusal<const N: usize>(self, code: i32, words: [&str; N]) -> Self {
        let run = self.expect_code(code).expect_line("ERROR", words);
        assert_eq!(run.stdout, "", "stdout is not empty");
        assert_eq!(run.stderr.lines().filter(|line| line.starts_with("ERROR")).count(), 1, "ERROR lines");
        run
    }

    pub fn records(&self, stream: &str) -> Vec<Value> {
        let mut records = Vec::new();
        for message in &self.messages {
            if let Message::Record { stream: of, record, .. } = message
                && of == stream
            {
                records.push(Value::from(record.clone()));
            }
        }
        records
    }

    pub fn ids(&self, stream: &str) -> Vec<String> {
        self.records(stream).iter().map(|record| id_of(record).to_owned()).collect()
    }

    /// The schema said last of each stream.
    pub fn schemas(&self) -> BTreeMap<String, Value> {
        let mut schemas = BTreeMap::new();
        for message in &self.messages {
            if let Message::Schema { stream, schema, .. } = message {
                schemas.insert(stream.clone(), Value::from(schema.clone()));
            }
        }
        schemas
    }

    /// All states, as the values of their messages.
    pub fn states(&self) -> Vec<Value> {
        let lines = self.whole_lines().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["type"] == "STATE").map(|line| line["value"].clone()).collect()
    }

    /// None if there was none.
    pub fn last_state(&self) -> Option<Value> {
        self.states().pop()
    }

    /// The last bookmark of a stream.
    #[track_caller]
    pub fn bookmark(&self, stream: &str) -> Value {
        let state = self.last_state().expect("there is a STATE");
        let bookmark = &state["bookmarks"][stream];
        assert!(bookmark.is_object(), "the last STATE has no bookmark of {stream}");
        bookmark.clone()
    }

    /// The requests for one stream's listings. Looking up what one principal may do is none.
    pub fn asked(&self, stream: &str) -> Vec<&Request> {
        let listing = |request: &&Request| {
            request.stream.as_deref() == Some(stream) && request.parameter("principal").is_none()
        };
        self.requests.iter().filter(listing).collect()
    }

    fn story(&self) -> String {
        let mut story =
            format!("\nran: {}\nended: {} after {:.2} s\n", self.command, self.status, self.seconds);
        if let Some(seed) = self.seed {
            let _ = writeln!(story, "again with: TEST_SEED={seed}");
        }
        let _ =
            writeln!(story, "stdout ({} lines):\n{}", self.stdout.lines().count(), shortened(&self.stdout));
        let _ = writeln!(story, "stderr:\n{}", self.stderr);
        let _ = writeln!(story, "the simulator was asked ({} requests):", self.requests.len());
        for (index, request) in self.requests.iter().enumerate() {
            if index == 60 {
                story.push_str("  …\n");
                break;
            }
            let query: Vec<String> =
                request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let status = request.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            let _ = writeln!(story, "  {} {}?{} {status}", request.method, request.path, query.join("&"));
        }
        story
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
    }
}

/// Lines of stderr that hold all of these words.
pub fn lines(run: &Run, words: &[&str]) -> usize {
    run.stderr.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// Beginnings of lines of the log.
pub const LEVELS: [&str; 4] = ["ERROR ", "WARN ", "INFO ", "DEBUG "];

/// What was written to a stderr that is no terminal, without the timestamps. Each line of the log has one, of
/// now or of the day that the clock shows.
pub(super) fn without_stamps(stderr: &str, date: Option<&str>) -> String {
    let bare = |line: &str| {
        assert!(!LEVELS.iter().any(|level| line.starts_with(level)), "no timestamp: {line}");
        let (stamp, words) = line.split_at_checked("2026-11-25T19:12:23Z ".len())?;
        let time = DateTime::parse_from_rfc3339(stamp.strip_suffix("Z ").map(|_| stamp.trim_end())?).ok()?;
        match date {
            Some(date) => assert!(stamp.starts_with(date), "another day than {date}: {line}"),
            None => assert!((Utc::now() - time.to_utc()).num_minutes().abs() < 10, "another time: {line}"),
        }
        assert!(LEVELS.iter().any(|level| words.starts_with(level)), "no level: {line}");
        Some(words.to_owned())
    };
    stderr.split_inclusive('\n').map(|line| bare(line).unwrap_or_else(|| line.to_owned())).collect()
}

/// The first and last lines, each no longer than a terminal is wide twice.
fn shortened(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(200).collect()).collect();
    if lines.len() <= 16 {
        return lines.join("\n");
    }
    format!("{}\n  …\n{}", lines[..8].join("\n"), lines[lines.len() - 8..].join("\n"))
}
