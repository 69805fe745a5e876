//! What an answer holds: from the envelope all of Confluent Cloud's listings share to records and the
//! token of the next page, and from the bodies of its errors to words. Pure.
//!
//! Records stay slices of the body: nothing is rebuilt here.

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

/// What one request brings.
#[derive(Debug, Default)]
pub struct Page {
    body: Vec<u8>,
    records: Vec<Range<usize>>,
    /// Token of the next page; none at the end of the listing.
    pub next: Option<String>,
    /// `X-Request-Id` of the answer, for errors about its records.
    pub request_id: Option<String>,
}

impl Page {
    /// The records as the API sent them: JSON of any kind, perhaps pretty-printed.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        // Each range was a `str` within the body when the page was read, so nothing is ever skipped.
        self.records.iter().filter_map(|range| std::str::from_utf8(&self.body[range.clone()]).ok())
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<Option<Vec<&'a RawValue>>>,
    metadata: Option<Links>,
}

#[derive(Deserialize)]
struct Links {
    next: Option<String>,
}

/// Tells a field that is null from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Reads a listing. Only an absent, null or empty `next` ends it; an empty page (`data` null or `[]`) with
/// a `next` is a page.
///
/// # Errors
/// In words, if the body is not the envelope, or its `next` holds no token.
pub fn read(body: Vec<u8>) -> Result<Page, String> {
    let envelope: Envelope<'_> = serde_json::from_slice(&body)
        .map_err(|error| format!("the answer is not a page of a listing ({error})"))?;
    let Some(data) = envelope.data else { return Err("the answer has no `data`".to_owned()) };
    let start = body.as_ptr() as usize;
    let records = data.unwrap_or_default();
    let records = records.iter().map(|record| {
        let from = record.get().as_ptr() as usize - start;
        from..from + record.get().len()
    });
    let records = records.collect();
    let next = match envelope.metadata.and_then(|links| links.next) {
        Some(next) if !next.is_empty() => Some(token(&next)?),
        _ => None,
    };
    Ok(Page { body, records, next, request_id: None })
}

/// The page token in a next link. The link may be relative, or name another host and path than the one
/// asked (recorded: `https://confluent.cloud/api/iam/…`): only its token is taken, the address is ours.
fn token(next: &str) -> Result<String, String> {
    let anywhere = Url::parse("https://next.invalid/").map_err(|error| error.to_string())?;
    let link = anywhere.join(next).map_err(|_| "its link to the next page cannot be read".to_owned())?;
    let token = link.query_pairs().find(|(name, value)| name == "page_token" && !value.is_empty());
    token.map(|(_, token)| token.into_owned()).ok_or("its link to the next page has no page token".to_owned())
}

/// What an error's body says, whatever its shape; else its first printable characters.
pub fn complaint(body: &[u8]) -> String {
    let said = serde_json::from_slice::<Value>(body).ok().and_then(|body| {
        let first = &body["errors"][0];
        let places = [
            &first["detail"],
            &first["message"],
            &first["title"],
            &body["message"],
            &body["error"]["message"],
            &body["error"],
        ];
        places.into_iter().find_map(Value::as_str).map(str::to_owned)
    });
    printable(said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()).as_str())
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

    fn page(body: &str) -> Result<(Vec<String>, Option<String>), String> {
        read(body.as_bytes().to_vec()).map(|page| (page.records().map(str::to_owned).collect(), page.next))
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
            "{}",
            r#"{"metadata":{}}"#,
            r#"{"data":{"id":1}}"#,
            r#"{"data":[{"id":1}"#,
            r#"{"data":[],"metadata":{"next":5}}"#,
            r#"{"data":[],"metadata":{"next":"/iam/v2/users"}}"#,
            r#"{"data":[],"metadata":{"next":"/iam/v2/users?page_token="}}"#,
            r#"{"data":[],"metadata":{"next":"https://"}}"#,
        ] {
            assert!(page(body).is_err(), "{body}");
        }
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
            ("", ""),
        ];
        for (body, words) in table {
            assert_eq!(complaint(body.as_bytes()), words, "{body}");
        }
        assert_eq!(complaint("é".repeat(1000).as_bytes()).chars().count(), 301);
    }
}
