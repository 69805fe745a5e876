//! The log: messages of one line, which begin with the name of a stream and a colon if they are about a stream.
//! `main` installs the writer.
//!
//! It knows only levels. Messages contain no credentials, because no caller passes any: see `secret::Secret` for
//! our own, and `api::redact` for those that a service sends back.

use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    #[serde(alias = "CRITICAL")]
    Error,
    #[serde(alias = "WARNING")]
    Warn,
    Info,
    Debug,
}

type Writer = Box<dyn Fn(Level, &str) + Send + Sync>;

static LOG: OnceLock<(Level, Writer)> = OnceLock::new();

/// Maximum length of a message, in characters: a log line with its level, or an Airbyte message.
pub const LONGEST: usize = 2_000;

/// Lines less important than `level` are dropped; the others go to `writer`. Later calls do nothing.
pub fn install(level: Level, writer: impl Fn(Level, &str) + Send + Sync + 'static) {
    let _ = LOG.set((level, Box::new(writer)));
}

pub fn error(line: impl AsRef<str>) {
    say(Level::Error, line.as_ref());
}

pub fn warn(line: impl AsRef<str>) {
    say(Level::Warn, line.as_ref());
}

pub fn info(line: impl AsRef<str>) {
    say(Level::Info, line.as_ref());
}

pub fn debug(line: impl AsRef<str>) {
    say(Level::Debug, line.as_ref());
}

fn say(level: Level, line: &str) {
    if let Some((most, writer)) = LOG.get()
        && level <= *most
    {
        // The level and a space before it are up to six characters.
        writer(level, &one_line(line, LONGEST - 6));
    }
}

/// The text as one line of at most so many characters, regardless of the names and responses it quotes:
/// control characters are escaped, and the middle of a longer text is omitted, because errors end with the
/// remedy.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || ends_or_turns_lines(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    let length = line.chars().count();
    if length <= longest {
        return line;
    }
    let kept = longest.saturating_sub(60);
    let (head, tail) = (kept - kept / 4, kept / 4);
    let left_out = length - head - tail;
    let (head, tail) = (line.chars().take(head), line.chars().skip(head + left_out));
    let words = format!(" … ({left_out} characters are omitted) … ");
    head.chain(words.chars()).chain(tail).collect()
}

/// Line and paragraph separators, and marks that change the direction of text.
fn ends_or_turns_lines(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line() {
        let table = [
            ("", ""),
            ("Töchter & Söhne, 東京 👩\u{200d}🚀", "Töchter & Söhne, 東京 👩\u{200d}🚀"),
            ("one\ntwo\r\n\tthree", r"one\ntwo\r\n\tthree"),
            ("\u{1b}[31m\u{7}\u{0}\u{7f}", r"\u{1b}[31m\u{7}\u{0}\u{7f}"),
            ("\u{85}\u{9b}", r"\u{85}\u{9b}"),
            ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
            (
                "\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
                r"\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
            ),
            (r"C:\new", r"C:\new"),
        ];
        for (text, expected) in table {
            assert_eq!(one_line(text, 100), expected);
        }
    }

    #[test]
    fn a_long_text_keeps_its_start_and_its_end() {
        for (unit, count) in
            [("x", 100), ("x", 101), ("x", 5_000_000), ("ö", 3_000), ("\n", 60), ("\u{202e}", 5_000)]
        {
            let text = format!("a{}z", unit.repeat(count - 2));
            let line = one_line(&text, 100);
            assert!(line.chars().count() <= 100, "{count} times {unit:?}: {}", line.chars().count());
            assert!(line.starts_with('a') && line.ends_with('z'), "{line}");
            assert_eq!(line.contains("omitted"), count > 100 || unit == "\n", "{line}");
        }
        let text = format!("{}{}", "h".repeat(100), "t".repeat(100));
        let expected = format!("{} … (160 characters are omitted) … {}", "h".repeat(30), "t".repeat(10));
        assert_eq!(one_line(&text, 100), expected);
    }
}
