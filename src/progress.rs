//! The progress of a read: regular log lines or, on a terminal, a live display that disappears at the end. No
//! other module draws on a terminal.

use std::collections::HashMap;
use std::io::{IsTerminal, Write as _, stderr};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use terminal_size::terminal_size_of;

use crate::protocol::{Event, Tally};

/// Minimum time between two log lines about a stream, in seconds.
const EVERY: f64 = 15.0;

/// How often the display is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// The sign before each line, one after the other: where it turns, the run is alive.
const TURNS: [char; 8] = ['⠙', '⠸', '⢰', '⣠', '⣄', '⡆', '⠇', '⠋'];

static DISPLAY: Mutex<Option<Display>> = Mutex::new(None);

/// What is drawn below the log.
struct Display {
    /// Of each stream that is being read, in the order in which they began.
    lines: Vec<(&'static str, String)>,
    /// Lines that are on the terminal now.
    drawn: usize,
    turns: usize,
    /// Ends the thread that redraws it.
    _shown: Sender<()>,
}

impl Display {
    /// Draws the display anew, below that text. Failures are ignored: there is no place to report them.
    fn draw(&mut self, above: &str) {
        let (width, height) = terminal_size_of(stderr()).map_or((80, 24), |size| (size.0.0, size.1.0));
        self.turns = (self.turns + 1) % TURNS.len();
        // Up, and erase what is below.
        let up = (self.drawn > 0).then(|| format!("\r\u{1b}[{}A\u{1b}[J", self.drawn));
        let mut text = up.unwrap_or_default() + above;
        // A line that is wrapped, or leaves the screen, could not be erased.
        let lines = self.lines.iter().take(usize::from(height).saturating_sub(1));
        self.drawn = lines.len();
        let cut = |line| format!("{:.*}\n", width.into(), format!("{} {line}", TURNS[self.turns]));
        text.extend(lines.map(|(_, line)| cut(line)));
        let _ = stderr().write_all(text.as_bytes());
    }
}

/// What comes of it, if there is a display.
fn with_display<T>(act: impl FnOnce(&mut Display) -> T) -> Option<T> {
    // A thread that panics may hold the lock.
    let mut display = (!thread::panicking()).then(|| DISPLAY.lock().ok())??;
    display.as_mut().map(act)
}

/// Shows progress on stderr from now on, if stderr is a terminal that supports it.
pub fn display() {
    if stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb") {
        let (_shown, is_shown) = channel();
        let display = Display { lines: Vec::new(), drawn: 0, turns: 0, _shown };
        let _ = DISPLAY.lock().map(|mut shown| shown.replace(display));
        // Without a thread, it is drawn when something happens.
        let _ = thread::Builder::new().spawn(move || {
            while is_shown.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                with_display(|display| display.draw(""));
            }
        });
    }
}

/// Writes a line to stderr, above the display if there is one. Failures are ignored: there is no place to report them.
pub fn write_above(line: &str) {
    let line = format!("{line}\n");
    with_display(|display| display.draw(&line)).unwrap_or_else(|| drop(stderr().write_all(line.as_bytes())));
}

/// The progress of each stream that is being read: the time of its last log line, in seconds.
#[derive(Default)]
pub struct Progress(HashMap<&'static str, f64>);

impl Progress {
    /// Shows the progress in an event. Returns the text if it is time to log it.
    pub fn show(&mut self, event: &Event) -> Option<String> {
        let (name, tally) = match event {
            Event::Started { stream, .. } => (stream.name, &Tally::default()),
            Event::Page { stream, tally, .. } => (stream.name, tally),
            Event::RateLimited { .. } => return None,
            Event::Ended { stream, .. } => {
                with_display(|display| {
                    display.lines.retain(|(name, _)| *name != stream.name);
                    display.draw("");
                });
                return self.0.remove(stream.name).and(None);
            }
        };
        let (records, pages) = (grouped(tally.records), grouped(tally.pages));
        let words = format!("{name}: {records} records, {pages} pages, {:.0} s", tally.seconds);
        let shown = with_display(|display| match display.lines.iter_mut().find(|(line, _)| *line == name) {
            Some((_, line)) => line.clone_from(&words),
            None => {
                display.lines.push((name, words.clone()));
                display.draw("");
            }
        });
        let told = self.0.entry(name).or_default();
        if shown.is_some() || tally.seconds - *told < EVERY {
            return None;
        }
        *told = tally.seconds;
        Some(words)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(mut display) = DISPLAY.lock().ok().and_then(|mut shown| shown.take()) {
            display.lines.clear();
            display.draw("");
        }
    }
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
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
