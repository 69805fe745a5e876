//! Errors, named by what to do next: change the settings, change the key's role, run again, tell us.
//!
//! An error carries what the API answered, shortened and printable. It never carries a credential: the only texts
//! that reach it are our own words, setting names, paths, and what `api` has looked through for pieces of one.

use std::fmt;
use std::time::Duration;

/// What the reader of an error should do. Its number is the exit code of a run that ends with nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Change the settings, the catalog or the command line.
    Config = 2,
    /// Change the key, or the role of its owner.
    Denied,
    /// Still failing after all tries: run again later, the state is safe.
    Unavailable,
    /// The API sent an invalid response.
    Broken,
    /// The reader of stdout has closed it.
    Output,
}

/// The response that caused an error.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Path of the request.
    pub path: String,
    /// Whether the request was a POST, as only those for tokens are, and not a GET.
    pub is_post: bool,
    /// HTTP status; none if no answer came.
    pub status: Option<u16>,
    /// Status that the body of an answer with status 200 claims.
    pub claimed: Option<u16>,
    /// `X-Request-Id` of the answer, for Confluent's support.
    pub request_id: Option<String>,
    /// The wait that it asks for before another try.
    pub retry_after: Option<Duration>,
    /// Whether it was the last of all tries.
    pub is_last: bool,
    /// The message in the body, shortened and printable; empty if it must not be shown.
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Error {
    pub kind: Kind,
    /// What happened, to which stream or setting, and what to do next.
    pub message: String,
    pub answer: Option<Box<Answer>>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), answer: None }
    }

    /// What came of a response.
    pub fn answered(kind: Kind, message: impl Into<String>, answer: Answer) -> Error {
        Error { answer: Some(Box::new(answer)), ..Error::new(kind, message) }
    }

    pub fn config(message: impl Into<String>) -> Error {
        Error::new(Kind::Config, message)
    }

    pub fn broken(message: impl Into<String>) -> Error {
        Error::new(Kind::Broken, message)
    }

    /// Stdout was closed.
    pub fn output(cause: &std::io::Error) -> Error {
        Error::new(Kind::Output, format!("stdout was closed ({cause}); resume from the last STATE"))
    }

    /// Whether the service may have refused the page token of the request, if it carried one.
    pub fn refuses_token(&self) -> bool {
        matches!(self.meant(), Some(400 | 404 | 410))
    }

    /// The status that the response claims, or has. That of a request for a token says nothing of what was to be read.
    pub fn meant(&self) -> Option<u16> {
        let answer = self.answer.as_ref().filter(|answer| !answer.is_post)?;
        answer.claimed.or(answer.status)
    }

    /// Whether what was asked for may exist without the key being allowed to know: the service answers 403
    /// where something is not found, and 404 where one may not know of it.
    pub fn is_hidden(&self) -> bool {
        self.kind != Kind::Config && matches!(self.status(), Some(403 | 404))
    }

    /// HTTP status of the answer behind this error, with the same exception.
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().filter(|answer| !answer.is_post).and_then(|answer| answer.status)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let Some(answer) = &self.answer else { return Ok(()) };
        write!(f, " [{} {}", if answer.is_post { "POST" } else { "GET" }, answer.path)?;
        if let Some(status) = answer.status {
            write!(f, " answered {status}")?;
        }
        if let Some(id) = &answer.request_id {
            write!(f, ", request id {id}")?;
        }
        if !answer.body.is_empty() {
            write!(f, ": {}", answer.body)?;
        }
        f.write_str("]")
    }
}

impl std::error::Error for Error {}

/// Exit code of a run that ended with errors of these kinds: one kind has its own code, several share 1.
pub fn exit_code(kinds: impl IntoIterator<Item = Kind>) -> u8 {
    let mut codes = kinds.into_iter().map(|kind| kind as u8);
    let Some(first) = codes.next() else { return 0 };
    if codes.all(|code| code == first) { first } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes() {
        let of = |kinds: &[Kind]| exit_code(kinds.iter().copied());
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[Kind::Config]), 2);
        assert_eq!(of(&[Kind::Denied, Kind::Denied]), 3);
        assert_eq!(of(&[Kind::Unavailable]), 4);
        assert_eq!(of(&[Kind::Broken]), 5);
        assert_eq!(of(&[Kind::Output]), 6);
        assert_eq!(of(&[Kind::Denied, Kind::Broken]), 1);
    }
}
