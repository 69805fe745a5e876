//! How a request proves who it is: HTTP Basic with a Cloud API key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;

use crate::config::Config;
use crate::secret::Secret;

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

    /// Which key it is.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Which key it is, for people: its first four characters.
    pub fn key_masked(&self) -> String {
        self.key.chars().take(4).chain("…".chars()).collect()
    }

    /// The text without the secret and without the header made of it: something between us and the
    /// service may send back what it was sent, in JSON perhaps with its slashes escaped.
    pub fn redact(&self, mut text: String) -> String {
        let secret = self.secret.expose();
        let basic = STANDARD.encode(format!("{}:{secret}", self.key));
        for hidden in [secret, &basic] {
            text = text.replace(hidden, "****").replace(&hidden.replace('/', "\\/"), "****");
        }
        text
    }
}
