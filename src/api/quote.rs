//! What may be told of an answer: nothing that holds a piece of the credentials and, where persons are hidden, none
//! of its text.

use super::client::Client;
use super::complaint;

/// Characters of a request's id that are told; those known have 32 or 36.
const LONGEST_REQUEST_ID: usize = 128;

impl Client {
    /// An answer's `X-Request-Id`, as it may be told.
    pub(super) fn request_id(&self, header: &[u8]) -> Option<String> {
        let printable = header.iter().filter(|byte| byte.is_ascii_graphic());
        let id: String = printable.take(LONGEST_REQUEST_ID).map(|byte| char::from(*byte)).collect();
        (!id.is_empty()).then(|| self.quotable(id))
    }

    /// What an answer says of an error, as it may be told.
    pub(super) fn quote(&self, said: String) -> String {
        if self.quotes_answers { complaint::printable(&self.quotable(said)) } else { String::new() }
    }

    /// A text of the service's, to be told or logged: words of ours instead, if it holds a piece of the
    /// credentials, in whatever way it is escaped.
    pub fn quotable(&self, text: String) -> String {
        self.auth.pieces.withhold(text)
    }

    /// Whether a text of the service's holds a piece of the credentials, and must not be kept.
    pub fn betrays(&self, text: &str) -> bool {
        self.auth.pieces.are_in(text)
    }

    /// A page token in words: its first characters tell it from others.
    pub fn token_words(&self, token: &str) -> String {
        if !self.quotes_answers {
            return "that has a page token".to_owned();
        }
        let start = self.quotable(token.chars().take(8).collect());
        format!("whose page token begins with {start:?}")
    }
}
