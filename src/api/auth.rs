//! The credentials of HTTP Basic, a Cloud API key and its secret, and the pieces of them that no text may contain.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::redact::{PIECE, Pieces};
use crate::config::Config;
use crate::error::Error;

/// Length of a key; known keys have 16 characters. A longer value may be a secret.
pub const LONGEST_KEY: usize = 20;

/// Pieces of the credentials, which no text that is shown or stored may contain.
///
/// # Errors
/// Config, if a setting that is shown or sent unencrypted contains one.
pub fn pieces(config: &Config) -> Result<Pieces, Error> {
    let (key, secret) = (&config.api_key, config.api_secret.expose());
    let basic = STANDARD.encode(format!("{key}:{secret}"));
    // The key of the hashes is never sent, so it cannot come back, and it may consist of words that occur in responses.
    let long_key = if key.len() > LONGEST_KEY { key } else { "" };
    let pieces = Pieces::of([secret, &basic, long_key]);
    let told = [
        ("organization_id", config.organization_id.as_deref()),
        ("user_agent", config.user_agent.as_deref()),
        ("base_url", Some(config.base_url.as_str())),
    ];
    // A setting may contain a secret that is shorter than a piece by chance.
    let is_long = secret.chars().count() >= PIECE;
    match told.iter().find(|(_, text)| is_long && text.is_some_and(|text| pieces.are_in(text))) {
        None => Ok(pieces),
        Some((setting, _)) => Err(Error::config(format!(
            "settings: {setting} contains a piece of the credentials, which would become visible to others: \
             correct it"
        ))),
    }
}
