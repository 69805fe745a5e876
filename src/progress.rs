//! The progress of a read: regular log lines or, on a terminal, a live display that disappears at the end. No
//! other module draws on a terminal.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::OnceLock;
use std::time::Duration;

use console::Term;
use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget};

use crate::protocol::{Event, Tally};

/// Minimum time between two log lines about a stream, in seconds.
const EVERY: f64 = 15.0;

/// How often the display is redrawn while nothing arrives.
const TICK: Duration = Duration::from_millis(100);

static DISPLAY: OnceLock<MultiProgress> = OnceLock::new();

/// A stderr that never fails: the display panics if its terminal has been closed.
#[derive(Debug)]
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRawFd for Stderr {
    fn as_raw_fd(&self) -> RawFd {
        io::stderr().as_raw_fd()
    }
}

/// Shows progress on stderr from now on, if stderr is a terminal that supports it.
pub fn display() {
    // Drawn twenty times a second at most.
    let terminal = ProgressDrawTarget::term(Term::read_write_pair(io::stdin(), Stderr), 20);
    let display = MultiProgress::with_draw_target(terminal);
    if !display.is_hidden() {
        let _ = DISPLAY.set(display);
    }
}

/// Writes a line to stderr, above the display if there is one. Failures are ignored: there is no place to report them.
pub fn write_above(line: &str) {
    let write = || drop(writeln!(io::stderr(), "{line}"));
    match DISPLAY.get() {
        // A thread that panics may hold its lock.
        Some(display) if !std::thread::panicking() => display.suspend(write),
        _ => write(),
    }
}

/// The progress of each stream: the time of its last log line, in seconds, and its line of the display.
#[derive(Default)]
pub struct Progress(HashMap<&'static str, (f64, Option<ProgressBar>)>);

impl Progress {
    /// Shows the progress in an event. Returns the text if it is time to log it.
    pub fn show(&mut self, event: &Event) -> Option<String> {
        let (name, tally) = match event {
            Event::Started { stream, .. } => (stream.name, &Tally::default()),
            Event::Page { stream, tally, .. } => (stream.name, tally),
            Event::RateLimited { .. } => return None,
            Event::Ended { stream, .. } => return self.0.remove(stream.name).and(None),
        };
        let (told, line) = self.0.entry(name).or_insert_with(|| {
            let line = DISPLAY.get().map(|display| display.add(ProgressBar::new_spinner()));
            (0.0, line.inspect(|line| line.enable_steady_tick(TICK)))
        });
        let (records, pages) = (HumanCount(tally.records), HumanCount(tally.pages));
        let words = format!("{name}: {records} records, {pages} pages, {:.0} s", tally.seconds);
        if let Some(line) = line {
            line.set_message(words);
        } else if tally.seconds - *told >= EVERY {
            *told = tally.seconds;
            return Some(words);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::shape::Records;
    use crate::state::Position;
    use crate::streams::{Stream, find};

    fn page(stream: &'static Stream, records: u64, pages: u64, seconds: f64) -> Event {
        let tally = Tally { records, pages, seconds, ..Tally::default() };
        let (records, position, now) = (Records::default(), Position::Start, Utc::now());
        Event::Page { stream, records, position, received_at: now, tally }
    }

    #[test]
    fn words_for_a_long_read() {
        let (users, bindings) = (find("users").unwrap(), find("role_bindings").unwrap());
        let mut progress = Progress::default();
        let table = [
            (Event::Started { stream: bindings, schema: bindings.schema(), position: Position::Start }, None),
            (page(bindings, 100, 1, 14.9), None),
            (page(bindings, 900, 9, 15.0), Some("role_bindings: 900 records, 9 pages, 15 s")),
            // Each stream has its own time.
            (page(users, 1_000, 10, 15.3), Some("users: 1,000 records, 10 pages, 15 s")),
            (page(bindings, 1_100, 11, 29.9), None),
            // Late, and the next is due so long after it.
            (page(bindings, 12_300, 123, 60.0), Some("role_bindings: 12,300 records, 123 pages, 60 s")),
            (page(bindings, 1_234_567, 12_346, 74.9), None),
            (
                page(bindings, 1_234_567, 12_346, 75.0),
                Some("role_bindings: 1,234,567 records, 12,346 pages, 75 s"),
            ),
            (Event::Ended { stream: bindings, tally: Tally::default(), outcome: Ok(()) }, None),
        ];
        for (event, expected) in table {
            assert_eq!(progress.show(&event).as_deref(), expected, "{event:?}");
        }
    }
}
