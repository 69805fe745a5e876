//! Files of JSON that the command line names: settings, catalog, state.

use std::path::Path;

use serde_json::Value;

use crate::error::Error;

/// Longest path that is quoted, in characters.
const LONGEST_PATH: usize = 200;

/// Reads a file of JSON. `what`: what the file is to the user: config, catalog, state.
///
/// # Errors
/// Config, in words that quote nothing of the file, and its path only if it is one.
pub fn read_json(what: &str, path: &str) -> Result<Value, Error> {
    parse(what, path, &read(what, path)?)
}

/// Reads the text of such a file.
///
/// # Errors
/// As `read_json`.
pub fn read(what: &str, path: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::config(if is_path(path) {
            format!("{what} {path} cannot be read: {error}")
        } else {
            let or = if what == "config" { ", or the settings in the environment" } else { "" };
            format!(
                "{what} cannot be read: what is given for it does not read like a path, and is not shown, because \
                 it may hold a secret. Give the path of a file{or}"
            )
        })
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Parses the text of such a file.
///
/// # Errors
/// As `read_json`.
pub fn parse(what: &str, path: &str, text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::config(format!(
            "{} is not JSON (line {}, column {}); mend the file or leave it out",
            named(what, path),
            error.line(),
            error.column()
        ))
    })
}

/// The file for people: what it is, and its path if that may be shown.
pub fn named(what: &str, path: &str) -> String {
    let path = if is_path(path) { path } else { "(its path is not shown)" };
    format!("{what} {path}")
}

/// Whether a text given for a path may be quoted: instead of the path, people paste the settings.
fn is_path(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    !start.starts_with(['{', '[', '"'])
        && text.chars().count() <= LONGEST_PATH
        && !text.contains(char::is_control)
        && (reads_like_a_path(text) || Path::new(text).exists())
}

/// Letters, digits and what usually stands between them, and an extension at the end: neither base64 nor
/// `name=value` has one.
fn reads_like_a_path(text: &str) -> bool {
    let usual = |(number, c): (usize, char)| {
        c.is_alphanumeric() || "/\\._-~+@ ".contains(c) || (c == ':' && number == 1)
    };
    let extension = text.rsplit_once('.').map_or("", |(_, extension)| extension);
    (1..=8).contains(&extension.len())
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
