//! How a request proves who it is: HTTP Basic with a Cloud API key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;

use super::redact::{PIECE, Pieces};
use crate::config::Config;
use crate::error::Error;
use crate::secret::Secret;

pub struct Auth {
    key: String,
    secret: Secret,
    pieces: Pieces,
}

impl Auth {
    /// # Errors
    /// Config, if a setting that is told or sent in the open holds a piece of the secret.
    pub fn new(config: &Config) -> Result<Auth, Error> {
        let (key, secret) = (config.api_key.clone(), config.api_secret.clone());
        let basic = STANDARD.encode(format!("{key}:{}", secret.expose()));
        // The key of the hashes is never sent, so it cannot come back; but it may be words that answers hold too.
        let pieces = Pieces::of([secret.expose(), &basic]);
        let auth = Auth { key, secret, pieces };
        let told = [
            ("organization_id", config.organization_id.as_deref()),
            ("user_agent", config.user_agent.as_deref()),
            ("base_url", Some(config.base_url.as_str())),
        ];
        match told.iter().find(|(_, text)| text.is_some_and(|text| auth.is_pasted_in(text))) {
            None => Ok(auth),
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

    /// Which key it is, for people: its first four characters.
    pub fn key_masked(&self) -> String {
        self.key.chars().take(4).chain("…".chars()).collect()
    }

    /// A secret that is shorter than a piece may be in a setting by chance.
    fn is_pasted_in(&self, setting: &str) -> bool {
        self.secret.expose().chars().count() >= PIECE && self.pieces.are_in(setting)
    }

    /// What no text may hold that is told or kept.
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }
}
