//! What can go wrong on demand: `Fault` says what happens, `At` to which requests. Error bodies
//! come in the shapes recorded from the real service's many parts.

use std::time::{Duration, SystemTime};

use crate::json::quoted;
use crate::log::{EXCHANGE, PROVIDER};
use crate::time::http_date;

/// When a 429 asks to be tried again.
#[derive(Clone, Debug, PartialEq)]
pub enum RetryAfter {
    Seconds(u64),
    /// A date so far from the moment of the answer, in `Retry-After`'s other form.
    DateIn(Duration),
}

/// What a request meets instead of a good answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// An answer of any status; made by the constructors for the recorded shapes.
    Status { status: u16, body: String, headers: Vec<(String, String)> },
    /// 429 without a body. `reset` is `X-RateLimit-Reset`, in seconds from now.
    RateLimited { retry_after: Option<RetryAfter>, reset: Option<u64> },
    /// The connection is reset before a byte is answered.
    Reset,
    /// No answer ever; the connection stays open until the client gives up.
    Stall,
    /// The right answer, its body at one byte a second.
    Drip,
    /// The right answer, cut off half-way through the body it announced.
    HalfBody,
    /// 200 with a page for people.
    Html200,
    /// 200 with a line of text.
    PlainText(String),
    /// 200 with any bytes and headers; `Content-Type: application/json` unless the headers say.
    Body(Vec<u8>, Vec<(String, String)>),
    /// 302 to this URL.
    RedirectTo(String),
    /// The right answer, compressed, without a header to say so.
    GzipUnlabelled,
    /// An answer that is a fault by itself, compressed, without a header to say so.
    Packed(Box<Fault>),
    /// 200 and a body that never ends.
    Endless,
    /// The right rows and a next link that carries no token.
    NextWithoutToken,
    /// The right rows and a next link to this same page.
    RepeatToken,
    /// 200 with one row, nested a hundred thousand deep.
    DeepJson,
    /// The right rows beside an `errors` that tells of this status.
    RowsAndErrors(u16),
    /// No rows and a next link with a token never seen before, whatever the listing holds.
    EndlessEmpty,
    /// A full page of rows never seen before and a next link with such a token. They are of the
    /// stream and heed no filter: Kafka clusters come from one environment after the other.
    EndlessRows,
}

impl Fault {
    /// An answer of this status without a body.
    pub fn status(status: u16) -> Self {
        Self::Status { status, body: String::new(), headers: Vec::new() }
    }

    fn json(status: u16, body: String) -> Self {
        Self::Status { status, body, headers: Vec::new() }.with_header("Content-Type", "application/json")
    }

    /// `{"errors":[{…,"detail":…}]}`, the shape of most parts of the service.
    pub fn errors(status: u16, detail: &str) -> Self {
        let detail = quoted(detail);
        let body = format!(
            r#"{{"errors":[{{"id":"5a1f8c22e0f14c7d","status":"{status}","detail":{detail},"source":{{}}}}]}}"#
        );
        Self::json(status, body)
    }

    /// `{"data":null,"errors":[…]}` with status 200: a part behind the gateway failed with this status.
    pub fn errors_page(status: u16) -> Self {
        Self::json(200, format!(r#"{{"data":null,"errors":{}}}"#, errors_of_page(status)))
    }

    /// 502 with `X-RateLimit-Reset: 3600`, which tells of the rate limit and not of this failure.
    pub fn far_reset() -> Self {
        Self::errors(502, "bad gateway").with_header("X-RateLimit-Reset", "3600")
    }

    /// The shape of `errors` with only a title, as some 404s are.
    pub fn errors_title(status: u16, title: &str) -> Self {
        let title = quoted(title);
        Self::json(
            status,
            format!(r#"{{"errors":[{{"id":"5a1f8c22e0f14c7d","status":"{status}","title":{title}}}]}}"#),
        )
    }

    /// `{"error_code":40301,"message":…}`, as role bindings answer.
    pub fn error_code(status: u16, code: u32, message: &str) -> Self {
        Self::json(status, format!(r#"{{"error_code":{code},"message":{}}}"#, quoted(message)))
    }

    /// `{"error":{"code":404,"message":…}}`, as Connect and old metrics answer.
    pub fn error_object(status: u16, message: &str) -> Self {
        Self::json(status, format!(r#"{{"error":{{"code":{status},"message":{}}}}}"#, quoted(message)))
    }

    /// `{"message":…}`.
    pub fn message(status: u16, message: &str) -> Self {
        Self::json(status, format!(r#"{{"message":{}}}"#, quoted(message)))
    }

    /// `{"status_code":400,"message":…,"type":…}`, as old role bindings answered.
    pub fn status_code(status: u16, message: &str, kind: &str) -> Self {
        let (message, kind) = (quoted(message), quoted(kind));
        Self::json(status, format!(r#"{{"status_code":{status},"message":{message},"type":{kind}}}"#))
    }

    /// A page for people, as a proxy or Jetty sends.
    pub fn html(status: u16) -> Self {
        let body = html(status);
        Self::Status { status, body, headers: Vec::new() }
            .with_header("Content-Type", "text/html;charset=iso-8859-1")
    }

    /// A line of text, such as Go's `404 page not found`.
    pub fn plain(status: u16, line: &str) -> Self {
        Self::Status { status, body: format!("{line}\n"), headers: Vec::new() }
            .with_header("Content-Type", "text/plain; charset=utf-8")
    }

    /// 429 that may be tried again in so many seconds, as both headers say.
    pub fn rate_limited(seconds: u64) -> Self {
        Self::RateLimited { retry_after: Some(RetryAfter::Seconds(seconds)), reset: Some(seconds) }
    }

    /// Adds a header to `Status` and `Body`; other faults have none to add to.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } | Self::Body(_, headers) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// The member `errors` of a page.
pub(crate) fn errors_of_page(status: u16) -> String {
    format!(
        r#"[{{"id":"5a1f8c22e0f14c7d","status":"{status}","detail":"part of the list could not be read","source":{{}}}}]"#
    )
}

pub fn html(status: u16) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>Error {status}</title></head>\n<body><h2>HTTP ERROR {status}</h2><p>Please stand by &amp; try again.</p></body></html>\n"
    )
}

impl RetryAfter {
    pub(crate) fn value(&self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::DateIn(wait) => http_date(SystemTime::now() + *wait),
        }
    }
}

/// Which requests a fault meets: by default every one. Requests are counted from 1, from the
/// moment the fault was planned; retries count.
#[derive(Clone, Debug)]
pub struct At {
    stream: Option<String>,
    from: u64,
    times: u64,
}

impl At {
    /// Requests for one stream's path.
    pub fn stream(name: &str) -> Self {
        Self { stream: Some(name.to_owned()), from: 1, times: u64::MAX }
    }

    /// Requests to the identity provider.
    pub fn provider() -> Self {
        Self::stream(PROVIDER)
    }

    /// Requests to the token exchange.
    pub fn exchange() -> Self {
        Self::stream(EXCHANGE)
    }

    /// The stream, if it is of one only, or one of the endpoints.
    pub(crate) fn of(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// Requests for anything.
    pub fn any() -> Self {
        Self { stream: None, from: 1, times: u64::MAX }
    }

    /// Only the `n`th.
    pub fn nth(self, n: u64) -> Self {
        self.from(n).times(1)
    }

    /// The `n`th and all later ones.
    pub fn from(mut self, n: u64) -> Self {
        self.from = n;
        self
    }

    /// No more than so many in a row.
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}

/// The faults to come, each with its own count of requests.
#[derive(Default)]
pub struct Plan(Vec<(Fault, At, u64)>);

impl Plan {
    pub fn add(&mut self, fault: Fault, at: At) {
        self.0.push((fault, at, 0));
    }

    /// Counts one request and says what it meets.
    pub fn meet(&mut self, stream: Option<&str>) -> Option<Fault> {
        let mut met = None;
        for (fault, at, seen) in &mut self.0 {
            if at.of().is_some() && at.of() != stream {
                continue;
            }
            *seen += 1;
            let hit = *seen >= at.from && *seen - at.from < at.times;
            if hit && met.is_none() {
                met = Some(fault.clone());
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(at: At) -> Vec<usize> {
        let mut plan = Plan::default();
        plan.add(Fault::Reset, at);
        let streams = ["users", "invitations", "users", "users", "users"];
        (0..5).filter(|index| plan.meet(Some(streams[*index])).is_some()).collect()
    }

    #[test]
    fn a_fault_meets_the_requests_it_was_planned_for() {
        assert_eq!(hits(At::any()), [0, 1, 2, 3, 4]);
        assert_eq!(hits(At::any().nth(2)), [1]);
        assert_eq!(hits(At::stream("users")), [0, 2, 3, 4]);
        assert_eq!(hits(At::stream("users").nth(2)), [2]);
        assert_eq!(hits(At::stream("users").from(2).times(2)), [2, 3]);
        assert_eq!(hits(At::stream("role_bindings")), [] as [usize; 0]);
    }

    #[test]
    fn bodies_that_are_json_parse() {
        for fault in [
            Fault::errors(401, "a \"b\""),
            Fault::errors_title(404, "x"),
            Fault::error_code(403, 40301, "x"),
            Fault::error_object(404, "x"),
            Fault::message(500, "x"),
            Fault::status_code(400, "x", "INVALID REQUEST DATA"),
            Fault::errors_page(503),
            Fault::far_reset(),
        ] {
            let Fault::Status { body, .. } = fault else { panic!("not a status") };
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{body}");
        }
    }
}
