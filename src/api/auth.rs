//! How a request proves who it is: HTTP Basic with a Cloud API key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;

use super::redact::{self, Pieces};
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
        // It is never sent, but if it comes back by chance, it is not told either.
        let of_hashes = config.personal_data_key.as_ref().map(Secret::expose);
        let of_hashes = of_hashes.filter(|key| key.len() >= redact::PIECE);
        let pieces = Pieces::of([secret.expose(), &basic].into_iter().chain(of_hashes));
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

    /// What no text may hold that is told or kept.
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }
}
