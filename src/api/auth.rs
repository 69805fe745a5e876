//! How a request proves who it is: HTTP Basic with a Cloud API key.

use reqwest::RequestBuilder;

use crate::config::{Config, Secret};

pub struct Auth {
    key: String,
    secret: Secret,
}

impl Auth {
    pub fn new(config: &Config) -> Auth {
        Auth { key: config.api_key.clone(), secret: config.api_secret.clone() }
    }

    /// Adds the credentials; reqwest marks the header as sensitive.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.key, Some(self.secret.expose()))
    }

    /// Which key it is, for people: its first four characters.
    pub fn key_masked(&self) -> String {
        self.key.chars().take(4).chain("…".chars()).collect()
    }
}
