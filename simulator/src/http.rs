//! HTTP/1.1 in the two directions a simulator needs it: a request's head, an answer's bytes. By
//! hand, because half of a simulator's answers are ones that a server library refuses to send.

use std::fmt::Write;
use std::io::Write as _;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::percent_decode_str;

use crate::faults::{Fault, html};
use crate::time::http_date;

/// A request; only a posted form has a body that is read.
#[derive(Debug)]
pub struct Head {
    pub method: String,
    pub path: String,
    /// Decoded, in the order given.
    pub query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    /// What was posted, decoded.
    pub form: Vec<(String, String)>,
    /// Whether it came to the identity provider.
    pub at_provider: bool,
    /// The connection ends with the answer.
    pub last: bool,
}

impl Head {
    /// Reads the text before the empty line; none if it is not HTTP/1.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target, version) = (first.next()?, first.next()?, first.next()?);
        if first.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        // A proxy's form names the host as well.
        let target = target
            .find("://")
            .filter(|_| !target.starts_with('/'))
            .map_or(target, |at| target[at + 3..].find('/').map_or("/", |slash| &target[at + 3 + slash..]));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()?;
        let (method, path, query) = (method.to_owned(), decoded(path), parameters(query));
        let (form, at_provider, last) = Default::default();
        let mut head = Self { method, path, query, headers, form, at_provider, last };
        let connection = head.header("connection").unwrap_or_default().to_ascii_lowercase();
        head.last =
            connection.contains("close") || version == "HTTP/1.0" && !connection.contains("keep-alive");
        Some(head)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The parameters of a query or a form.
pub fn parameters(text: &str) -> Vec<(String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(parameter).collect()
}

fn parameter(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    // In a query a plus sign is a space: a token sent without encoding must not work.
    (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A status, headers and a body.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("Content-Type".to_owned(), kind.to_owned())], body }
    }

    pub fn json(status: u16, body: String) -> Self {
        Self::new(status, "application/json", body.into_bytes())
    }

    /// The answer that a fault is, if it is one that any server could send by itself.
    pub fn of(fault: &Fault) -> Option<Self> {
        Some(match fault {
            Fault::Status { status, body, headers } => {
                Self { status: *status, headers: headers.clone(), body: body.clone().into_bytes() }
            }
            Fault::RateLimited { retry_after, reset } => {
                let mut headers = vec![
                    ("X-RateLimit-Limit".to_owned(), "1000".to_owned()),
                    ("X-RateLimit-Remaining".to_owned(), "0".to_owned()),
                ];
                headers.extend(retry_after.iter().map(|after| ("Retry-After".to_owned(), after.value())));
                headers.extend(reset.iter().map(|reset| ("X-RateLimit-Reset".to_owned(), reset.to_string())));
                Self { status: 429, headers, body: Vec::new() }
            }
            Fault::Html200 => Self::new(200, "text/html; charset=utf-8", html(200).into_bytes()),
            Fault::PlainText(line) => Self::new(200, "text/plain; charset=utf-8", line.clone().into_bytes()),
            Fault::Body(body, headers) => {
                let mut answer = Self { status: 200, headers: headers.clone(), body: body.clone() };
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    answer.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
                }
                answer
            }
            Fault::RedirectTo(url) => {
                Self { status: 302, headers: vec![("Location".to_owned(), url.clone())], body: Vec::new() }
            }
            Fault::Packed(fault) => {
                let mut answer = Self::of(fault)?;
                answer.body = gzip(&answer.body);
                answer
            }
            Fault::DeepJson => Self::json(200, deep(100_000)),
            _ => return None,
        })
    }

    /// The status line and headers, with the ones that every answer of the service carries and `quota`.
    pub fn head(&self, number: u64, quota: &[(String, u64)], framing: &str, last: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut line = |name: &str, value: &str| {
            // Writing to a String does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        };
        line("Date", &http_date(SystemTime::now()));
        line("X-Request-Id", &format!("{:016x}{number:016x}", crate::random::mix(&[number])));
        let own = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        for (name, value) in quota.iter().filter(|(name, _)| !own(name)) {
            line(name, &value.to_string());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        if last {
            line("Connection", "close");
        }
        head.push_str(framing);
        head.push_str("\r\n\r\n");
        head.into_bytes()
    }

    pub fn length(&self) -> String {
        format!("Content-Length: {}", self.body.len())
    }
}

/// Compressed, as `Content-Encoding: gzip` would say.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn deep(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    format!(
        r#"{{"api_version":"iam/v2","kind":"UserList","metadata":{{}},"data":[{{"id":"u-deep00","deep":{open}{close}}}]}}"#
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_with_its_query_decoded() {
        let head =
            Head::read("GET /iam/v2/users?page_token=a%2B%2f%3D&q=x+y&& HTTP/1.1\r\nHost: h\r\nX-A:  b \r\n")
                .unwrap();
        assert_eq!(head.path, "/iam/v2/users");
        assert_eq!(head.parameter("page_token"), Some("a+/="));
        assert_eq!(head.parameter("q"), Some("x y"));
        assert_eq!(head.header("x-a"), Some("b"));
        assert!(!head.last);
        assert!(Head::read("GET / HTTP/1.1\r\nConnection: close").unwrap().last);
        assert_eq!(Head::read("GET http://h:1/x?y=1 HTTP/1.1").unwrap().path, "/x");
        assert_eq!(Head::read("GET /x?crn_pattern=crn://a HTTP/1.1").unwrap().path, "/x");
        assert!(Head::read("\u{16}\u{3}\u{1}").is_none());
        assert!(Head::read("GET / HTTP/2").is_none());
    }
}
