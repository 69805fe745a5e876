//! Parses the envelope that all of Confluent Cloud's listings share into records and the token of the next
//! page. Pure.
//!
//! Records stay slices of the body: nothing is rebuilt here.

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;
use url::Url;

use super::complaint::{self, MARK};
use crate::json::{Entry, Fields};
use crate::streams::Envelope;

/// Maximum bytes of a page token: it is sent in a URL and stored in the state, once per page.
const LONGEST_TOKEN: usize = 8 << 10;

/// Maximum records of a page. A hundred are requested, but a service may not support paging.
const MOST_RECORDS: usize = 100_000;

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

    /// Whether it is the last page of its listing and has no records.
    pub fn is_empty_end(&self) -> bool {
        self.records.is_empty() && self.next.is_none()
    }
}

#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<Option<Vec<&'a RawValue>>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    // The fields in which services report an error, with any status.
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    error_code: Option<&'a RawValue>,
    #[serde(borrow)]
    status_code: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

impl Outer<'_> {
    fn complains(&self) -> bool {
        let is_empty_list = |json: &str| json.strip_prefix('[').is_some_and(|rest| rest.trim_start() == "]");
        let says = |place: Option<&RawValue>| place.is_some_and(|value| !is_empty_list(value.get()));
        // Codes other than zero are errors; a status may be one of success.
        let code = self.error_code.is_some_and(|code| code.get().trim_matches('"') != "0");
        let status = self.status_code.is_some_and(|status| !complaint::is_success(status.get()));
        // Gateways send these. A message next to an empty list is the reason why it is empty.
        let other = |place: Option<&RawValue>| place.is_some_and(|code| complaint::is_failure(code.get()));
        let is_empty = self.data.as_ref().and_then(Option::as_ref).is_none_or(Vec::is_empty);
        let message = is_empty && self.message.is_some_and(|words| words.get() != "\"\"");
        says(self.errors)
            || says(self.error)
            || code
            || status
            || other(self.code)
            || other(self.status)
            || message
    }
}

#[derive(Deserialize)]
struct Links<'a> {
    #[serde(borrow)]
    next: Option<&'a RawValue>,
}

/// Distinguishes a null field from an absent one.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Why a body is not a page.
#[derive(Debug, PartialEq)]
pub enum PageError {
    /// It ends too early; the next try may bring it whole.
    Cut,
    /// It reports an error, with or without data.
    Complaint,
    /// In words that do not quote the body.
    Broken(&'static str),
}

/// Reads a page. Only an absent, null or empty `next` ends it; an empty page (`data` null or `[]`) with
/// a `next` is a page.
///
/// # Errors
/// See [`PageError`]; the body is handed back whole.
pub fn read(body: Vec<u8>, envelope: Envelope) -> Result<Page, (PageError, Vec<u8>)> {
    let body = match String::from_utf8(body) {
        Ok(body) => body,
        // Within a character.
        Err(error) if error.utf8_error().error_len().is_none() => {
            return Err((PageError::Cut, error.into_bytes()));
        }
        Err(error) => return Err((PageError::Broken("the response is not JSON"), error.into_bytes())),
    };
    let scanned = match envelope {
        Envelope::List => scan(&body),
        Envelope::Map => scan_map(&body),
    };
    match scanned {
        Ok((records, next)) => Ok(Page { body, records, next, request_id: None }),
        Err(why) => Err((why, body.into_bytes())),
    }
}

/// The place of the records in a page, and the token of the next page.
type Scanned = (Vec<Range<usize>>, Option<String>);

fn scan(body: &str) -> Result<Scanned, PageError> {
    let envelope: Outer<'_> = object(body, "the response is not a JSON object")?;
    if envelope.complains() {
        return Err(PageError::Complaint);
    }
    let data = envelope.data.ok_or(PageError::Broken("the response has no `data`"))?;
    let records = ranges(body, data.unwrap_or_default())?;
    let links = envelope.metadata.map(|links| object(links.get(), "its `metadata` is not a JSON object"));
    let next = links.transpose()?.and_then(|links: Links<'_>| links.next);
    let next = next.map(|next| serde_json::from_str::<String>(next.get())).transpose();
    let next = next.map_err(|_| PageError::Broken("its link to the next page is not a string"))?;
    let next = next.filter(|next| !next.is_empty()).map(|next| token(&next)).transpose();
    Ok((records, next.map_err(PageError::Broken)?))
}

/// An object of objects is one page. Any other is an error that comes with status 200, or no listing.
fn scan_map(body: &str) -> Result<Scanned, PageError> {
    let Fields::<Entry<'_>>(fields) = object(body, "the response is not a JSON object")?;
    // A connector may be called `error`, and has an id then.
    let is_error = |(name, value): &(_, &RawValue)| {
        name == "error" && serde_json::from_str(value.get()).is_ok_and(|error: Value| error["id"].is_null())
    };
    if fields.iter().all(|field| field.1.get().starts_with('{') && !is_error(field)) {
        let records = fields.into_iter().map(|(_, record)| record).collect();
        return Ok((ranges(body, records)?, None));
    }
    let envelope: Outer<'_> = object(body, "the response is not a JSON object")?;
    let broken = PageError::Broken("the response is JSON, but not a page of a listing");
    Err(if envelope.complains() { PageError::Complaint } else { broken })
}

/// The place of the records in the body.
fn ranges(body: &str, records: Vec<&RawValue>) -> Result<Vec<Range<usize>>, PageError> {
    if records.len() > MOST_RECORDS {
        return Err(PageError::Broken("the page contains more than 100000 records"));
    }
    let from = |record: &RawValue| record.get().as_ptr() as usize - body.as_ptr() as usize;
    Ok(records.into_iter().map(|record| from(record)..from(record) + record.get().len()).collect())
}

/// Reads a JSON object. A duplicate of a known field is rejected, because one of the two would be lost.
fn object<'a, T: Deserialize<'a>>(json: &'a str, other: &'static str) -> Result<T, PageError> {
    let json = json.trim_start_matches(MARK);
    // Serde would read a struct from an array, field by field.
    if json.trim_ascii_start().chars().next().is_some_and(|first| first != '{') {
        return Err(PageError::Broken(other));
    }
    serde_json::from_str(json).map_err(|error| match error.classify() {
        Category::Eof if !json.is_empty() => PageError::Cut,
        Category::Data if error.to_string().starts_with("duplicate field") => {
            PageError::Broken("the response contains a field of its envelope twice")
        }
        Category::Data => PageError::Broken("the response is JSON, but not a page of a listing"),
        _ => PageError::Broken("the response is not JSON"),
    })
}

/// The page token in a next link. The link may be relative, or name another host and path than the one
/// asked (recorded: `https://confluent.cloud/api/iam/…`): only its token is taken, the address is ours.
fn token(next: &str) -> Result<String, &'static str> {
    let link = Url::parse("https://next.invalid/").and_then(|anywhere| anywhere.join(next));
    let link = link.map_err(|_| "its link to the next page cannot be read")?;
    let token = link.query_pairs().find(|(name, value)| name == "page_token" && !value.is_empty());
    let (_, token) = token.ok_or("its link to the next page has no page token")?;
    if token.len() > LONGEST_TOKEN {
        return Err("its page token is longer than 8 KiB");
    }
    Ok(token.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Result<(Vec<String>, Option<String>), PageError> {
        let read = read(body.as_bytes().to_vec(), Envelope::List).map_err(|(why, _)| why);
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
    fn tokens_have_a_limit() {
        for (token, bytes) in [("x", 1), ("%2f", 1), ("%C3%A9", 2), ("é", 2)] {
            let body = |times: usize| {
                format!(r#"{{"data":[],"metadata":{{"next":"?page_token={}"}}}}"#, token.repeat(times))
            };
            assert!(page(&body(LONGEST_TOKEN / bytes)).is_ok_and(|(_, next)| next.is_some()), "{token}");
            assert!(matches!(page(&body(LONGEST_TOKEN / bytes + 1)), Err(PageError::Broken(_))), "{token}");
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
            r#"{"data":[],"data":[]}"#,
            r#"{"data":[],"metadata":{},"metadata":{}}"#,
            r#"{"data":[],"metadata":{"next":"","n\u0065xt":"/x?page_token=t"}}"#,
            r#"{"data":[],"errors":[],"errors":[]}"#,
        ] {
            assert!(matches!(page(body), Err(PageError::Broken(_))), "{body}");
        }
    }

    #[test]
    fn a_page_that_is_cut_anywhere_is_told_from_one_that_is_broken() {
        let whole = r#"{"data":[{"id":"u-1"}],"metadata":{"next":"/x?page_token=t"}}"#;
        for end in 1..whole.len() {
            assert_eq!(page(&whole[..end]), Err(PageError::Cut), "{end}");
        }
    }

    #[test]
    fn no_words_quote_the_body() {
        for body in [
            r#"{"data":"s3cret"}"#,
            r#"{"data":[],"metadata":"s3cret"}"#,
            r#"{"data":[],"metadata":{"next":"https://[s3cret"}}"#,
        ] {
            let Err(PageError::Broken(words)) = page(body) else { panic!("{body}") };
            assert!(!words.contains("s3cret"), "{words}");
        }
    }
    #[test]
    fn what_a_page_says_of_itself() {
        let complaints = [
            r#""errors":[{}]"#,
            r#""errors":"no""#,
            r#""errors":"""#,
            r#""errors":{}"#,
            r#""errors":[[]]"#,
            r#""error":"no""#,
            r#""error":{}"#,
            r#""error":false"#,
            r#""error_code":40301"#,
            r#""error_code":"x""#,
            r#""status_code":"503""#,
        ];
        for fields in complaints {
            for data in [r#","data":null"#, r#","data":[{"id":"u-1"}]"#, r#","data":[],"data":[6]"#, ""] {
                let body = format!("{{{fields}{data}}}");
                let twice = data.contains('6');
                assert_eq!(matches!(page(&body), Err(PageError::Complaint)), !twice, "{body}");
            }
        }
        let harmless = [
            r#""errors":[]"#,
            r#""errors":[ ]"#,
            r#""errors":null"#,
            r#""error":null"#,
            r#""error":[]"#,
            r#""error_code":null"#,
            r#""error_code":0"#,
            r#""status_code":200"#,
            r#""status_code":"200""#,
            r#""message":"fine""#,
        ];
        for fields in harmless {
            let body = format!(r#"{{{fields},"data":[1]}}"#);
            assert_eq!(page(&body), Ok((vec!["1".to_owned()], None)), "{body}");
        }
    }
}
