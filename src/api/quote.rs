//! Decides what a message may quote of a response: no text with a piece of the credentials, and no text at all if
//! personal data is hidden.

use super::auth::LONGEST_KEY;
use super::client::Client;
use super::complaint;

/// Maximum length of a request id in messages; known ids have 32 or 36 characters.
const LONGEST_REQUEST_ID: usize = 128;

impl Client {
    /// The `X-Request-Id` of a response, as it may be shown.
    pub(super) fn request_id(&self, header: &[u8]) -> Option<String> {
        let printable = header.iter().filter(|byte| byte.is_ascii_graphic());
        let id: String = printable.take(LONGEST_REQUEST_ID).map(|byte| char::from(*byte)).collect();
        (!id.is_empty()).then(|| self.auth.withhold(id))
    }

    /// The error message of a response, as it may be shown.
    pub(super) fn quote(&self, said: String) -> String {
        let said = if self.config.quotes_answers() { said } else { String::new() };
        complaint::printable(&self.auth.withhold(said))
    }

    /// The page with a page token, in words: the first characters distinguish the token from others.
    pub fn token_words(&self, token: &str) -> String {
        if !self.config.quotes_answers() {
            return "a page with a page token".to_owned();
        }
        let start = self.auth.withhold(token.chars().take(8).collect());
        format!("the page whose token begins with {start:?}")
    }

    /// What the run acts as, for messages.
    pub(super) fn identity_masked(&self) -> String {
        format!("{} {}", self.config.identity().0, self.id_masked())
    }

    /// The id of the key for messages: its first four characters, or none if it may be a secret. That of a pool is
    /// none.
    pub fn id_masked(&self) -> String {
        let Some(key) = &self.config.api_key else { return self.config.identity().1.to_owned() };
        let told = if key.len() > LONGEST_KEY { 0 } else { 4 };
        let is_of_key = |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9');
        let is_key = |text: &str| text.len() == 16 && text.bytes().all(is_of_key);
        let is_swapped =
            self.config.api_secret.as_ref().is_some_and(|secret| is_key(secret.expose()) && !is_key(key));
        let words = if is_swapped { "… (it seems to be swapped with its secret)" } else { "…" };
        key.chars().take(told).chain(words.chars()).collect()
    }
}
