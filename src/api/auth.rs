//! How a request proves who it is: HTTP Basic with a Cloud API key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;

use super::redact::{PIECE, Pieces};
use crate::config::Config;
use crate::error::Error;
use crate::secret::Secret;

/// Characters of a key; those known have 16. What is longer may be a secret.
const LONGEST_KEY: usize = 20;

pub struct Auth {
    key: String,
    secret: Secret,
    /// What no text may hold that is told or kept.
    pub pieces: Pieces,
}

impl Auth {
    /// # Errors
    /// Config, if a setting that is told or sent in the open holds a piece of the secret.
    pub fn new(config: &Config) -> Result<Auth, Error> {
        let (key, secret) = (config.api_key.clone(), config.api_secret.clone());
        let basic = STANDARD.encode(format!("{key}:{}", secret.expose()));
        // The key of the hashes is never sent, so it cannot come back; but it may be words that answers hold too.
        let long_key = if key.len() > LONGEST_KEY { &key } else { "" };
        let pieces = Pieces::of([secret.expose(), &basic, long_key]);
        let told = [
            ("organization_id", config.organization_id.as_deref()),
            ("user_agent", config.user_agent.as_deref()),
            ("base_url", Some(config.base_url.as_str())),
        ];
        // A secret that is shorter than a piece may be in a setting by chance.
        let is_long = secret.expose().chars().count() >= PIECE;
        match told.iter().find(|(_, text)| is_long && text.is_some_and(|text| pieces.are_in(text))) {
            None => Ok(Auth { key, secret, pieces }),
            Some((setting, _)) => Err(Error::config(format!(
                "settings: {setting} holds a piece of the credentials, which others would see: correct it"
            ))),
        }
    }

    /// Adds the credentials; reqwest marks the header as sensitive.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.key, Some(self.secret.expose()))
    }

    /// Which key it is.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Which key it is, for people: its first four characters, and none of what may be a secret.
    pub fn key_masked(&self) -> String {
        let told = if self.key.len() > LONGEST_KEY { 0 } else { 4 };
        let is_of_key = |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9');
        let is_key = |text: &str| text.len() == 16 && text.bytes().all(is_of_key);
        let is_swapped = is_key(self.secret.expose()) && !is_key(&self.key);
        let words = if is_swapped { "… (it seems to be swapped with its secret)" } else { "…" };
        self.key.chars().take(told).chain(words.chars()).collect()
    }
}
