//! Parses the envelope that all of Confluent Cloud's listings share into records and the token of the next
//! page. Pure.
//!
//! Records stay slices of the body: nothing is rebuilt here.

use url::form_urlencoded;

use super::complaint;
use crate::json::{DEEPEST, Json, MARK, Tape, Unread};
use crate::streams::Envelope;

/// Maximum bytes of a page token: it is sent in a URL and stored in the state, once per page.
const LONGEST_TOKEN: usize = 8 << 10;

/// Maximum records of a page. A hundred are requested, but a service may not support paging.
const MOST_RECORDS: usize = 100_000;

/// Anything but an object.
const NO_OBJECT: &str = "the response is not a JSON object";

/// An object of another form.
const NO_PAGE: &str = "the response is JSON, but not a page of a listing";

/// What one request brings.
#[derive(Debug)]
pub struct Page {
    tape: Tape,
    /// Number of the value that holds the records.
    list: usize,
    /// Token of the next page; none at the end of the listing.
    pub next: Option<String>,
    /// `X-Request-Id` of the answer, for errors about its records.
    pub request_id: Option<String>,
}

impl Page {
    /// The records as the API sent them: JSON of any kind, perhaps pretty-printed.
    pub fn records(&self) -> impl Iterator<Item = Json<'_>> {
        self.tape.at(self.list).items()
    }

    /// Whether it is the last page of its listing and has no records.
    pub fn is_empty_end(&self) -> bool {
        self.records().next().is_none() && self.next.is_none()
    }
}

/// The fields of an envelope, of which the first two make a page. With the others services report an error, with any
/// status.
const ENVELOPE: [&str; 9] =
    ["data", "metadata", "errors", "error", "error_code", "status_code", "code", "status", "message"];

/// The field of that name, unless it is null.
fn field<'a>(object: Json<'a>, name: &str) -> Option<Json<'a>> {
    object.at(&[name]).filter(|field| !field.is_null())
}

/// Whether the envelope reports an error.
fn complains(envelope: Json<'_>) -> bool {
    let says = |name| field(envelope, name).is_some_and(|value| value.first() != b'[' || value.count() > 0);
    let text = |name| field(envelope, name).map(Json::text);
    // Codes other than zero are errors; a status may be one of success.
    let is_code = text("error_code").is_some_and(|code| code.trim_matches('"') != "0");
    let is_status = text("status_code").is_some_and(|status| !complaint::is_success(status));
    // Gateways send these. A message next to an empty list is the reason why it is empty.
    let is_other = ["code", "status"].into_iter().filter_map(text).any(complaint::is_failure);
    let is_empty = field(envelope, "data").is_none_or(|data| data.count() == 0);
    let is_reason = is_empty && text("message").is_some_and(|words| words != "\"\"");
    says("errors") || says("error") || is_code || is_status || is_other || is_reason
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
    let body = String::from_utf8(body).map_err(|error| match error.utf8_error().error_len() {
        // Within a character.
        None => (PageError::Cut, error.into_bytes()),
        Some(_) => (PageError::Broken("the response is not JSON"), error.into_bytes()),
    })?;
    let (find, around): (fn(&Tape) -> _, _) = match envelope {
        Envelope::List => (in_list, 2),
        Envelope::Map => (in_map, 1),
    };
    let tape = Tape::read(body, DEEPEST + around).map_err(|(why, body)| {
        let start = body.trim_start_matches(MARK).trim_ascii_start();
        let why = match why {
            _ if !start.is_empty() && !start.starts_with('{') => PageError::Broken(NO_OBJECT),
            Unread::Cut if !body.is_empty() => PageError::Cut,
            Unread::Cut | Unread::NotJson => PageError::Broken("the response is not JSON"),
            Unread::TooMany => PageError::Broken("the response contains more than 2 million values"),
        };
        (why, body.into_bytes())
    })?;
    match find(&tape) {
        Ok((list, _)) if tape.at(list).items().nth(MOST_RECORDS).is_some() => {
            let many = PageError::Broken("the page contains more than 100000 records");
            Err((many, tape.into_text().into_bytes()))
        }
        Ok((list, next)) => Ok(Page { tape, list, next, request_id: None }),
        Err(why) => Err((why, tape.into_text().into_bytes())),
    }
}

/// The number of what holds the records, and the token of the next page.
type Found = (usize, Option<String>);

fn in_list(tape: &Tape) -> Result<Found, PageError> {
    let root = tape.root();
    is_object(root, &ENVELOPE, NO_OBJECT)?;
    if complains(root) {
        return Err(PageError::Complaint);
    }
    let data = root.at(&["data"]).ok_or(PageError::Broken("the response has no `data`"))?;
    if !data.is_null() && data.first() != b'[' {
        return Err(PageError::Broken(NO_PAGE));
    }
    let Some(links) = field(root, "metadata") else { return Ok((data.number, None)) };
    is_object(links, &["next"], "its `metadata` is not a JSON object")?;
    let not_text = PageError::Broken("its link to the next page is not a string");
    let next = field(links, "next").map(|next| next.string().ok_or(not_text)).transpose()?;
    let next = next.filter(|next| !next.is_empty()).map(|next| token(&next)).transpose();
    Ok((data.number, next.map_err(PageError::Broken)?))
}

/// An object of objects is one page. Any other is an error that comes with status 200, or no listing.
fn in_map(tape: &Tape) -> Result<Found, PageError> {
    let root = tape.root();
    is_object(root, &[], NO_OBJECT)?;
    // A connector may be called `error`, and has an id then.
    let is_error = |record: Json<'_>| record.name() == "error" && field(record, "id").is_none();
    if root.items().all(|record| record.first() == b'{' && !is_error(record)) {
        return Ok((root.number, None));
    }
    is_object(root, &ENVELOPE, "")?;
    Err(if complains(root) { PageError::Complaint } else { PageError::Broken(NO_PAGE) })
}

/// Checks that it is an object which holds none of these fields twice: one of the two would be lost. `other`: what to
/// say of anything but an object.
fn is_object(value: Json<'_>, fields: &[&str], other: &'static str) -> Result<(), PageError> {
    let known: Vec<_> = value.items().map(Json::name).filter(|name| fields.contains(&&**name)).collect();
    let is_twice = |(number, name)| known[..number].contains(name);
    if value.first() != b'{' {
        return Err(PageError::Broken(other));
    }
    let twice = PageError::Broken("the response contains a field of its envelope twice");
    if known.iter().enumerate().any(is_twice) { Err(twice) } else { Ok(()) }
}

/// The page token in a next link. The link may be relative, or name another host and path than the one
/// asked (recorded: `https://confluent.cloud/api/iam/…`): only its token is taken, the address is ours.
fn token(next: &str) -> Result<String, &'static str> {
    // What no URL holds, and readers of URLs leave out.
    let next: String = next.chars().filter(|c| !c.is_control()).collect();
    let (_, query) = next.trim().split('#').next().and_then(|link| link.split_once('?')).unwrap_or_default();
    let token = form_urlencoded::parse(query.as_bytes());
    let mut token = token.filter(|(name, value)| name == "page_token" && !value.is_empty());
    let (_, token) = token.next().ok_or("its link to the next page has no page token")?;
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
        read.map(|page| (page.records().map(|record| record.text().to_owned()).collect(), page.next))
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
            ("/iam/v2/users?page_token=&page_token=a+b#page_token=c", "a b"),
            (" /x?page_token=t\\n2\\u0000\\t ", "t2"),
            ("crn://x?page_token=%FFa?b", "\u{fffd}a?b"),
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
            r##"{"data":[],"metadata":{"next":"/iam/v2/users#?page_token=t"}}"##,
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
