//! How a request proves who it is: HTTP Basic with a Cloud API key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;

use super::redact::{PIECE, Pieces};
use crate::config::Config;
use crate::secret::Secret;

pub struct Auth {
    key: String,
    secret: Secret,
    pieces: Pieces,
}

impl Auth {
    pub fn new(config: &Config) -> Auth {
        let (key, secret) = (config.api_key.clone(), config.api_secret.clone());
        let basic = STANDARD.encode(format!("{key}:{}", secret.expose()));
        // The key of the hashes is never sent, so it cannot come back; but it may be words that answers hold too.
        let pieces = Pieces::of([secret.expose(), &basic]);
        Auth { key, secret, pieces }
    }

    /// Adds the credentials; reqwest marks the header as sensitive.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.key, Some(self.secret.expose()))
    }

    /// Which key it is.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Which key it is, for people: its first four characters.
    pub fn key_masked(&self) -> String {
        self.key.chars().take(4).chain("…".chars()).collect()
    }

    /// Whether a setting that is told or sent in the open holds a piece of the secret. One that is shorter than a
    /// piece may be in it by chance.
    pub fn is_pasted_in(&self, setting: &str) -> bool {
        self.secret.expose().chars().count() >= PIECE && self.pieces.are_in(setting)
    }

    /// What no text may hold that is told or kept.
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }
}
