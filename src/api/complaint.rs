//! Extracts the message from the body of an error. Pure.
//!
//! It never returns text that may be records. It does not look for credentials: its callers do that before they show
//! the message.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::json::MARK;

/// Bytes of a body that may be parsed for its message: a tree of values takes many times as much memory.
const LONGEST: usize = 1 << 20;

/// Characters of a body that are examined; fewer are shown.
const MOST_READ: usize = 4096;

/// Characters that are shown.
const MOST_SHOWN: usize = 300;

/// What a body says of an error.
#[derive(Default)]
pub struct Complaint {
    /// The message, whatever its shape, or its first characters if it is no JSON. At most 4096 characters, of any kind:
    /// see [`printable`].
    pub said: String,
    /// The error status in it, for responses whose own status is not that of an error.
    pub status: Option<u16>,
    pub is_json: bool,
}

/// Reads the body of a response.
///
/// JSON speaks from the places of an error, or, if it came with an error (`of_page` is false), as a flat object
/// without an id; other text is told if nothing in it looks like JSON.
pub fn read(body: &[u8], of_page: bool) -> Complaint {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches(MARK).trim();
    // A value cannot hold everything that is JSON, such as half a surrogate pair.
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    if body.len() > LONGEST {
        return Complaint { is_json, ..Complaint::default() };
    }
    let json: Option<Value> = serde_json::from_str(text).ok();
    let said = match json.as_ref().map(|json| (words(json), json)) {
        Some((Some(words), _)) => words.to_owned(),
        // Serialized again, so that an escape cannot hide anything.
        Some((None, json)) if !of_page && is_flat(json) => json.to_string(),
        None if !holds_json(text) => text.to_owned(),
        _ => String::new(),
    };
    let said = said.chars().take(MOST_READ).collect();
    Complaint { said, status: json.as_ref().and_then(status), is_json }
}

fn is_flat(body: &Value) -> bool {
    let simple = |value: &Value| !value.is_object() && !value.is_array();
    body.as_object().is_some_and(|fields| !fields.contains_key("id") && fields.values().all(simple))
}

/// Whether a text that is not JSON may contain JSON: it begins like JSON, has a quote before a colon like
/// every JSON object, or uses an encoding that hides both.
fn holds_json(text: &str) -> bool {
    let has_field = |(at, _): (usize, &str)| text[at + 1..].trim_start().starts_with(':');
    text.starts_with(['{', '[', '"']) || text.contains('\0') || text.match_indices('"').any(has_field)
}

/// The value in the place where a service puts an error message.
fn words(body: &Value) -> Option<&str> {
    let (first, error) = (first(body), &body["error"]);
    let of_first = ["detail", "message", "title"].map(|name| &first[name]);
    let others = [first, &body["message"], &error["message"], &error["detail"], error];
    of_first.into_iter().chain(others).find_map(Value::as_str)
}

/// The first of the errors, which should be a list of them.
fn first(body: &Value) -> &Value {
    body.pointer("/errors/0").unwrap_or(&body["errors"])
}

fn status(body: &Value) -> Option<u16> {
    let nested =
        [first(body), &body["error"]].into_iter().flat_map(|error| [&error["status"], &error["code"]]);
    let flat = ["error_code", "status_code", "code", "status"].map(|name| &body[name]);
    nested.chain(flat).find_map(error_status)
}

/// A number or a string of three digits of status, optionally followed by two for details (40301).
fn error_status(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let status = if number > 9999 { number / 100 } else { number };
    u16::try_from(status).ok().filter(|status| (400..600).contains(status))
}

/// Whether a status, as JSON, is not that of an error.
pub fn is_success(status: &str) -> bool {
    status.trim_matches('"').parse().is_ok_and(|status: u16| status < 400)
}

/// Whether a number, or a string of one, is an error code in JSON: neither 0 nor a success status.
pub fn is_failure(code: &str) -> bool {
    code.trim_matches('"').parse().is_ok_and(|code: u64| code != 0 && !(200..400).contains(&code))
}

/// On one line, without control characters, at most 300 characters.
pub fn printable(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(MOST_SHOWN).collect();
    if shown.len() < line.len() { format!("{shown}…") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &[u8], of_page: bool) -> String {
        read(body, of_page).said
    }

    #[test]
    fn what_is_json_even_where_no_value_holds_it() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let long = format!("\"{}\"", "x".repeat(LONGEST));
        for body in [r#"{"message":"gone \ud83d"}"#, "1e999", &*deep, &*long] {
            assert!(read(body.as_bytes(), false).is_json, "{body:.40}");
            assert!(!read(&body.as_bytes()[1..], false).is_json || body == "1e999", "{body:.40}");
        }
    }

    #[test]
    fn complaints_of_every_shape() {
        let table = [
            (r#"{"errors":[{"status":"401","detail":"Unauthorized","source":{}}]}"#, "Unauthorized"),
            (r#"{"errors":[{"status":"404","title":"Not Found"}]}"#, "Not Found"),
            (r#"{"errors":["no","yes"]}"#, "no"),
            (r#"{"errors":"no"}"#, "no"),
            (r#"{"errors":{"detail":"no"}}"#, "no"),
            (r#"{"error":{"detail":"no"}}"#, "no"),
            (r#"{"error_code":40301,"message":"Either unauthorized"}"#, "Either unauthorized"),
            (r#"{"error":{"code":404,"message":"no such thing"}}"#, "no such thing"),
            (r#"{"status_code":400,"message":"bad\nrole","type":"INVALID REQUEST DATA"}"#, "bad role"),
            ("404 page not found\n", "404 page not found"),
            ("<html>\u{1b}[31m</html>", "<html> [31m</html>"),
            (r#"{"other":1}"#, r#"{"other":1}"#),
            (r#"{"reason":"x","n":null}"#, r#"{"reason":"x","n":null}"#),
            (r#"{"data":[{"email":"a@b.c"}]}"#, ""),
            (r#"{"data":[{"email":"a@b.c"#, ""),
            (r#"{"result":{"email":"a@b.c"}}"#, ""),
            (r#"{"id":"u-1","email":"a@b.c"}"#, ""),
            (r#"[{"email":"a@b.c"}]"#, ""),
            ("\u{feff}{\"data\":[{\"email\":\"a@b.c\"}]}", ""),
            ("cb({\"email\" : \"a@b.c\"})", ""),
            ("{\0\"\0e\0\"\0:\0", ""),
            (r#"<p class="big">Bad: gateway</p>"#, r#"<p class="big">Bad: gateway</p>"#),
            (r#"{"seen":"a\/b\u0065"}"#, r#"{"seen":"a/be"}"#),
            ("", ""),
        ];
        for (body, words) in table {
            assert_eq!(printable(&said(body.as_bytes(), false)), words, "{body}");
        }
        for (body, words) in [
            (r#"[{"email":"a@b.c"}]"#, ""),
            (r#" {"other":[{"email":"a@b.c"#, ""),
            (r#""a@b.c""#, ""),
            (r#"{"data":5,"message":"no"}"#, "no"),
            ("<html>", "<html>"),
        ] {
            assert_eq!(printable(&said(body.as_bytes(), true)), words, "{body}");
        }
    }

    #[test]
    fn statuses_of_every_shape() {
        let table = [
            (r#"{"errors":[{"status":"503"}]}"#, Some(503)),
            (r#"{"errors":[{"status":429}]}"#, Some(429)),
            (r#"{"errors":[{"code":"forbidden_access","status":"403"}]}"#, Some(403)),
            (r#"{"errors":[{"code":"408"}]}"#, Some(408)),
            (r#"{"errors":{"status":" 500 "}}"#, Some(500)),
            (r#"{"error":{"code":404,"status":"NOT_FOUND"}}"#, Some(404)),
            (r#"{"error_code":40301}"#, Some(403)),
            (r#"{"error_code":404}"#, Some(404)),
            (r#"{"status_code":400}"#, Some(400)),
            (r#"{"status":503,"error":"Service Unavailable"}"#, Some(503)),
            ("\u{feff}{\"status\":503}", Some(503)),
            (r#"{"error_code":5030}"#, None),
            (r#"{"error_code":-503}"#, None),
            (r#"{"status":200}"#, None),
            (r#"{"errors":["no"],"error":"no"}"#, None),
            (r#"{"errors":[]}"#, None),
            ("503", None),
            ("<html>503</html>", None),
        ];
        for (body, expected) in table {
            assert_eq!(read(body.as_bytes(), true).status, expected, "{body}");
        }
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let long = "é ".repeat(5000);
        assert_eq!(said(long.as_bytes(), false).chars().count(), MOST_READ);
        assert_eq!(printable(&said(long.as_bytes(), false)).chars().count(), MOST_SHOWN + 1);
    }
}
