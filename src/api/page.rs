//! What an answer holds: from the envelope all of Confluent Cloud's listings share to records and the
//! token of the next page, and from the bodies of its errors to words. Pure.
//!
//! Records stay slices of the body: nothing is rebuilt here.

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::Url;

/// What one request brings.
#[derive(Debug, Default)]
pub struct Page {
    body: String,
    records: Vec<Range<usize>>,
    /// Token of the next page; none at the end of the listing.
    pub next: Option<String>,
    /// `X-Request-Id` of the answer, for errors about its records.
    pub request_id: Option<String>,
}

impl Page {
    /// The records as the API sent them: JSON of any kind, perhaps pretty-printed.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|range| &self.body[range.clone()])
    }

    /// Whether it is the last page of its listing and brings nothing.
    pub fn is_empty_end(&self) -> bool {
        self.records.is_empty() && self.next.is_none()
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<Option<Vec<&'a RawValue>>>,
    metadata: Option<Map<String, Value>>,
}

/// Tells a field that is null from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Why a body is no page.
#[derive(Debug, PartialEq)]
pub enum Unreadable {
    /// It ends too early; the next try may bring it whole.
    Cut,
    /// In words, which quote nothing of the body.
    Broken(String),
}

/// Reads a listing. Only an absent, null or empty `next` ends it; an empty page (`data` null or `[]`) with
/// a `next` is a page.
///
/// # Errors
/// See [`Unreadable`]; the body is handed back whole.
pub fn read(body: Vec<u8>) -> Result<Page, (Unreadable, Vec<u8>)> {
    let body = match String::from_utf8(body) {
        Ok(body) => body,
        // Within a character.
        Err(error) if error.utf8_error().error_len().is_none() => {
            return Err((Unreadable::Cut, error.into_bytes()));
        }
        Err(error) => {
            return Err((Unreadable::Broken("the answer is not JSON".to_owned()), error.into_bytes()));
        }
    };
    match scan(&body) {
        Ok((records, next)) => Ok(Page { body, records, next, request_id: None }),
        Err(why) => Err((why, body.into_bytes())),
    }
}

/// Where the records of a page stand, and the token of the next.
type Scanned = (Vec<Range<usize>>, Option<String>);

fn scan(body: &str) -> Result<Scanned, Unreadable> {
    let broken = |words: &str| Unreadable::Broken(words.to_owned());
    // Serde would take a struct from an array, field by field.
    let json = body.trim_start_matches(MARK);
    if json.trim_ascii_start().chars().next().is_some_and(|first| first != '{') {
        return Err(broken("the answer is not a JSON object"));
    }
    let envelope: Envelope<'_> = serde_json::from_str(json).map_err(|error| match error.classify() {
        Category::Eof if !body.is_empty() => Unreadable::Cut,
        Category::Data => broken("the answer is JSON, but no page of a listing"),
        _ => broken("the answer is not JSON"),
    })?;
    let Some(data) = envelope.data else { return Err(broken("the answer has no `data`")) };
    let start = body.as_ptr() as usize;
    let records = data.unwrap_or_default();
    let records = records.iter().map(|record| {
        let from = record.get().as_ptr() as usize - start;
        from..from + record.get().len()
    });
    let next = match envelope.metadata.and_then(|mut links| links.remove("next")) {
        None | Some(Value::Null) => None,
        Some(Value::String(next)) if next.is_empty() => None,
        Some(Value::String(next)) => Some(token(&next).map_err(broken)?),
        Some(_) => return Err(broken("its link to the next page is not a text")),
    };
    Ok((records.collect(), next))
}

/// The page token in a next link. The link may be relative, or name another host and path than the one
/// asked (recorded: `https://confluent.cloud/api/iam/…`): only its token is taken, the address is ours.
fn token(next: &str) -> Result<String, &'static str> {
    let link = Url::parse("https://next.invalid/").and_then(|anywhere| anywhere.join(next));
    let link = link.map_err(|_| "its link to the next page cannot be read")?;
    let token = link.query_pairs().find(|(name, value)| name == "page_token" && !value.is_empty());
    token.map(|(_, token)| token.into_owned()).ok_or("its link to the next page has no page token")
}

/// What an error's body says, whatever its shape; else its first printable characters. `hide` takes out
/// what must not be shown, before anything is cut.
///
/// Nothing is told that may be records: JSON speaks from the places of an error, or, if it came with an error
/// (`of_page` is false), as a flat object without an id; other text is told if nothing in it looks like JSON.
pub fn complaint(body: &[u8], of_page: bool, hide: impl Fn(String) -> String) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches(MARK).trim();
    let said = match serde_json::from_str::<Value>(text) {
        // Written anew, so that nothing hides in an escape.
        Ok(body) => match words(&body) {
            Some(words) => words.to_owned(),
            None if !of_page && is_flat(&body) => body.to_string(),
            None => String::new(),
        },
        Err(_) if holds_json(text) => String::new(),
        Err(_) => text.to_owned(),
    };
    printable(&hide(said))
}

/// What some editors put before a text; JSON may be preceded by it (RFC 8259, 8.1).
const MARK: char = '\u{feff}';

fn is_flat(body: &Value) -> bool {
    let simple = |value: &Value| !value.is_object() && !value.is_array();
    body.as_object().is_some_and(|fields| !fields.contains_key("id") && fields.values().all(simple))
}

/// Whether a text that is no JSON may have some in it: it begins as JSON does, has a quote before a colon as
/// every JSON object, or is of an encoding that hides both.
fn holds_json(text: &str) -> bool {
    let has_field = |(at, _): (usize, &str)| text[at + 1..].trim_start().starts_with(':');
    text.starts_with(['{', '[', '"']) || text.contains('\0') || text.match_indices('"').any(has_field)
}

/// What stands in the place where a service puts the words of an error.
fn words(body: &Value) -> Option<&str> {
    let first = &body["errors"][0];
    let places = [
        &first["detail"],
        &first["message"],
        &first["title"],
        &body["message"],
        &body["error"]["message"],
        &body["error"],
    ];
    places.into_iter().find_map(Value::as_str)
}

/// On one line, without control characters, at most 300 characters.
fn printable(text: &str) -> String {
    const MOST: usize = 300;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Result<(Vec<String>, Option<String>), Unreadable> {
        let read = read(body.as_bytes().to_vec()).map_err(|(why, _)| why);
        read.map(|page| (page.records().map(str::to_owned).collect(), page.next))
    }

    #[test]
    fn ends_and_empty_pages() {
        let one = vec![r#"{"id":"u-1"}"#.to_owned()];
        let table = [
            (r#"{"data":[{"id":"u-1"}],"metadata":{}}"#, one.clone(), None),
            (r#"{"data":[{"id":"u-1"}]}"#, one.clone(), None),
            (r#"{"data":[{"id":"u-1"}],"metadata":null}"#, one.clone(), None),
            (r#"{"data":[{"id":"u-1"}],"metadata":{"next":null,"total_size":9}}"#, one.clone(), None),
            (r#"{"data":[{"id":"u-1"}],"metadata":{"next":""}}"#, one.clone(), None),
            (r#"{"metadata":{"next":"/x?page_token=t"},"data":[{"id":"u-1"}]}"#, one, Some("t")),
            (r#"{"data":null,"metadata":{"next":"/x?page_token=t"}}"#, vec![], Some("t")),
            (r#"{"data":[],"metadata":{"next":"/x?page_token=t"}}"#, vec![], Some("t")),
            ("{\n \"data\": [ 1 , \"a\\nb\" ]\n}", vec!["1".to_owned(), r#""a\nb""#.to_owned()], None),
        ];
        for (body, records, next) in table {
            assert_eq!(page(body), Ok((records, next.map(str::to_owned))), "{body}");
        }
    }

    #[test]
    fn tokens() {
        let table = [
            ("https://api.confluent.cloud/iam/v2/users?page_token=T", "T"),
            ("https://confluent.cloud/api/iam/v2/users?page_size=10&page_token=T", "T"),
            ("https://api.confluent.cloud/cmk/v2/clusters?page_token=T&environment=env-1", "T"),
            ("/iam/v2/users?page_token=a%2Bb%3D%3D%2F", "a+b==/"),
            ("?page_token=T", "T"),
            ("/iam/v2/users?page_token=a\\u0026b=c", "a"),
        ];
        for (next, token) in table {
            let body = format!(r#"{{"data":[],"metadata":{{"next":"{next}"}}}}"#);
            assert_eq!(page(&body), Ok((vec![], Some(token.to_owned()))), "{next}");
        }
    }

    #[test]
    fn what_is_not_a_page() {
        for body in [
            "",
            "<html></html>",
            "[]",
            "[null,null]",
            "[[],null]",
            "{}",
            r#"{"data":[],"metadata":[null]}"#,
            r#"{"metadata":{}}"#,
            r#"{"data":{"id":1}}"#,
            r#"{"data":[],"metadata":{"next":5}}"#,
            r#"{"data":[],"metadata":{"next":"/iam/v2/users"}}"#,
            r#"{"data":[],"metadata":{"next":"/iam/v2/users?page_token="}}"#,
            r#"{"data":[],"metadata":{"next":"https://"}}"#,
        ] {
            assert!(matches!(page(body), Err(Unreadable::Broken(_))), "{body}");
        }
    }

    #[test]
    fn a_page_that_is_cut_anywhere_is_told_from_one_that_is_broken() {
        let whole = r#"{"data":[{"id":"u-1"}],"metadata":{"next":"/x?page_token=t"}}"#;
        for end in 1..whole.len() {
            assert_eq!(page(&whole[..end]), Err(Unreadable::Cut), "{end}");
        }
    }

    #[test]
    fn no_words_quote_the_body() {
        for body in [
            r#"{"data":"s3cret"}"#,
            r#"{"data":[],"metadata":"s3cret"}"#,
            r#"{"data":[],"metadata":{"next":"https://[s3cret"}}"#,
        ] {
            let Err(Unreadable::Broken(words)) = page(body) else { panic!("{body}") };
            assert!(!words.contains("s3cret"), "{words}");
        }
    }

    #[test]
    fn what_is_hidden_is_hidden_before_the_cut_and_behind_escapes() {
        let hide = |text: String| text.replace("s3/cret", "****");
        for filler in [0, 290, 295, 299, 300] {
            let body = format!("{}s3/cret", "x".repeat(filler));
            assert!(!complaint(body.as_bytes(), false, hide).contains("s3"), "{filler}");
        }
        assert_eq!(complaint(br#"{"seen":"s3\/cr\u0065t"}"#, false, hide), r#"{"seen":"****"}"#);
    }

    #[test]
    fn complaints_of_every_shape() {
        let table = [
            (r#"{"errors":[{"status":"401","detail":"Unauthorized","source":{}}]}"#, "Unauthorized"),
            (r#"{"errors":[{"status":"404","title":"Not Found"}]}"#, "Not Found"),
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
            ("", ""),
        ];
        for (body, words) in table {
            assert_eq!(complaint(body.as_bytes(), false, |text| text), words, "{body}");
        }
        for (body, words) in [
            (r#"[{"email":"a@b.c"}]"#, ""),
            (r#" {"other":[{"email":"a@b.c"#, ""),
            (r#""a@b.c""#, ""),
            (r#"{"data":5,"message":"no"}"#, "no"),
            ("<html>", "<html>"),
        ] {
            assert_eq!(complaint(body.as_bytes(), true, |text| text), words, "{body}");
        }
        assert_eq!(complaint("é".repeat(1000).as_bytes(), false, |text| text).chars().count(), 301);
    }
}
