//! Files of JSON that the command line names: settings, catalog, state.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use crate::error::Error;
use crate::log;

/// Longest path that is quoted, in characters.
const LONGEST_PATH: usize = 200;

/// Longest file of which one JSON text may be the whole, in bytes; a longer one is read line by line.
const LONGEST_TEXT: u64 = 16 << 20;

/// Reads a file of JSON. `what`: what the file is to the user: config, catalog, state.
///
/// # Errors
/// Config, in words that quote nothing of the file, and its path only if it is one.
pub fn read_json(what: &str, path: &str) -> Result<Value, Error> {
    parse(what, path, &read(what, path)?)
}

/// Reads the bytes of such a file.
///
/// # Errors
/// As `read_json`.
pub fn read(what: &str, path: &str) -> Result<Vec<u8>, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(what, path, &error))?;
    Ok(without_mark(&bytes).to_vec())
}

/// Reads the text of a file that has at most so many bytes; none if it has more, or is no text.
///
/// # Errors
/// As `read_json`.
pub fn read_short(what: &str, path: &str, most: u64) -> Result<Option<String>, Error> {
    let mut bytes = Vec::new();
    let read = std::fs::metadata(path).and_then(|found| {
        if !found.is_file() {
            // A pipe may never be written to.
            return Err(std::io::Error::other("it is not a regular file"));
        }
        File::open(path)?.take(most + 1).read_to_end(&mut bytes)
    });
    read.map_err(|error| unreadable(what, path, &error))?;
    let text = Some(bytes).filter(|bytes| bytes.len() as u64 <= most);
    Ok(text.and_then(|bytes| String::from_utf8(without_mark(&bytes).to_vec()).ok()))
}

/// Without the byte order mark that some editors write.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// Reads a file of any size that contains one JSON text, or an object on each line, and passes each to
/// `take`. A kill truncates the last line, and the next run may append to it, so other lines are skipped with a
/// warning.
///
/// # Errors
/// As `read_json`, where nothing in the file is JSON, unless it is blank.
pub fn read_lines(what: &str, path: &str, mut take: impl FnMut(Value)) -> Result<(), Error> {
    let unreadable = |error| unreadable(what, path, &error);
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut start = Vec::new();
    file.by_ref().take(LONGEST_TEXT).read_to_end(&mut start).map_err(unreadable)?;
    let whole = parse(what, path, without_mark(&start)).map(&mut take);
    let Err(no_text) = whole else { return Ok(()) };
    let (mut taken, mut broken) = (false, None);
    let lines = without_mark(&start).chain(file).split(b'\n');
    for (number, line) in (1..).zip(lines) {
        let line = line.map_err(unreadable)?;
        match serde_json::from_slice(&line) {
            Ok(value @ Value::Object(_)) => (taken, ()) = (true, take(value)),
            _ if line.trim_ascii().is_empty() => {}
            _ => broken = Some(number),
        }
    }
    let Some(number) = broken else { return Ok(()) };
    if !taken {
        return Err(no_text);
    }
    log::warn(format!(
        "{}: not every line is a JSON object, perhaps because a run was killed: line {number} is skipped",
        named(what, path)
    ));
    Ok(())
}

fn unreadable(what: &str, path: &str, error: &std::io::Error) -> Error {
    let or = if what == "config" { ", or the settings in the environment" } else { "" };
    let why = if is_path(path) {
        format!("{what} {path} cannot be read: {error}")
    } else {
        format!(
            "{what} cannot be read: the given value does not look like a path, and is not shown, because it \
             may contain a secret"
        )
    };
    Error::config(format!("{why}. Give the path of a file{or}"))
}

/// Parses the bytes of such a file.
///
/// # Errors
/// As `read_json`.
pub fn parse(what: &str, path: &str, bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (file, looks) = (named(what, path), looks_like(&String::from_utf8_lossy(bytes), &error));
        // Parsing for any value at all, the parser quotes nothing of the text.
        let error = error.to_string().replace(" at line ", ", line ").replace(" column ", ", column ");
        Error::config(format!("{file} is not JSON ({error}){looks}; correct or omit the file"))
    })
}

/// What a text that is not JSON looks like.
fn looks_like(text: &str, error: &serde_json::Error) -> &'static str {
    let first =
        text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let here = line.as_bytes().get(error.column().saturating_sub(1));
    match (first.chars().find(|c| "{[\":=-".contains(*c)), here) {
        _ if text.contains('\0') => ", and looks like UTF-16: save it as UTF-8",
        (Some(':' | '-'), _) => ", and looks like YAML",
        (Some('='), _) => ", and looks like environment variables (NAME=value)",
        (_, Some(b'/' | b'#')) => ": there seems to be a comment, which JSON does not allow",
        (_, Some(b'\'')) => ": there seem to be single quotes, where JSON requires double quotes",
        _ if first.is_empty() => ": it is empty",
        _ => "",
    }
}

/// The file for people: what it is, and its path if that may be shown.
pub fn named(what: &str, path: &str) -> String {
    let path = if is_path(path) { path } else { "(its path is not shown)" };
    format!("{what} {path}")
}

/// Whether a text given as a path may be quoted: users sometimes paste the settings instead.
fn is_path(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    !start.starts_with(['{', '[', '"'])
        && text.chars().count() <= LONGEST_PATH
        && !text.contains(char::is_control)
        && (reads_like_a_path(text) || Path::new(text).exists())
}

/// Letters, digits, usual punctuation, and an extension at the end, which neither base64 nor `name=value`
/// has.
fn reads_like_a_path(text: &str) -> bool {
    let usual = |(number, c): (usize, char)| {
        c.is_alphanumeric() || "/\\._-~+@ ".contains(c) || (c == ':' && number == 1)
    };
    let extension = text.rsplit_once('.').map_or("", |(_, extension)| extension);
    // Mounted secrets have no extension, and secrets of that length have capitals.
    let mounted = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/._-".contains(&byte);
    text.starts_with('/') && text.bytes().all(mounted)
        || (1..=8).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.chars().enumerate().all(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_for_a_path() {
        let long = format!("/{}.json", "x".repeat(LONGEST_PATH));
        let table = [
            ("config.json", true),
            ("/nowhere/config.json", true),
            ("../a b/Settings_2-x.JSON", true),
            (r"C:\Users\me\config.json", true),
            ("/data/größe.json", true),
            ("src", true), // it is there
            ("/var/run/nowhere/token", true),
            ("/Ab3/nowhere", false),
            ("nowhere", false),
            ("", false),
            ("{}", false),
            ("{x.json", false),
            ("[x.json", false),
            ("\"x.json\"", false),
            (" \t\u{feff}{x.json", false),
            ("\u{feff}\"x.json", false),
            ("api_key=K.json", false),
            ("api_secret: s.json", false),
            ("'{\"api_key\": 1}'", false),
            ("two\nlines.json", false),
            ("a\u{1b}b.json", false),
            ("eyJhcGlfa2V5Ijoi/eyJhcGlfa2V5Ijoi+x==", false),
            ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJSMeKKF2QT4", false),
            (&long, false),
        ];
        for (text, expected) in table {
            assert_eq!(is_path(text), expected, "{text:?}");
        }
    }
}
