//! What authorizes a request: a Cloud API key and its secret, or a token of an identity pool, for which one of the
//! customer's identity provider is exchanged; and the pieces of all of these that no text may contain.
//!
//! No other module knows how a token is come by. Sends nothing itself.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

use super::redact::{PIECE, Pieces};
use crate::config::Config;
use crate::error::Error;
use crate::files::{named, read_short};
use crate::secret::Secret;

/// Length of a key; known keys have 16 characters. A longer value may be a secret.
pub const LONGEST_KEY: usize = 20;

/// The same of the id of a client; many are UUIDs.
const LONGEST_CLIENT: usize = 36;

/// Bytes of a token. Servers refuse headers that are longer.
const LONGEST_TOKEN: usize = 16 << 10;

/// Tokens whose pieces are remembered: those of eight exchanges. Older ones have expired.
const MOST_TOKENS: usize = 16;

/// How long before its end a token is replaced, unless that is more than half of its life.
const EARLY: Duration = Duration::from_secs(60);

/// Whoever is asked: what it is called, and the setting that names its host.
#[derive(Clone, Copy, PartialEq)]
pub struct Party(&'static str, &'static str);

/// The management API.
pub const SERVICE: Party = Party("the service", "base_url");
/// Where a token of the identity provider is exchanged for one of the service.
pub const EXCHANGE: Party = Party("the token exchange", "base_url");
pub const PROVIDER: Party = Party("the identity provider", "oauth_token_url");

impl Party {
    /// What is said of the service, said of this one.
    pub fn words(self, of_service: &str) -> String {
        of_service.replace(SERVICE.0, self.0).replace(SERVICE.1, self.1)
    }
}

/// A response with a token.
#[derive(Deserialize)]
pub struct Token {
    access_token: Secret,
    /// Its life in seconds; some providers write it as a string.
    #[serde(default)]
    expires_in: Value,
}

/// A header and when it is to be replaced, if that is known; or why there is none.
type Pass = Result<(HeaderValue, Option<Instant>), Error>;

pub struct Auth {
    config: Config,
    /// Pieces of the settings.
    pieces: Pieces,
    /// Of each of the last tokens the pieces that are not shown, and those that are not kept either.
    tokens: RefCell<VecDeque<[Pieces; 2]>>,
    /// Locked during an exchange.
    pass: Mutex<Pass>,
    exchanges: Cell<u64>,
}

impl Auth {
    /// # Errors
    /// Config, if a setting that is shown or sent unencrypted contains a piece of a secret.
    pub fn new(config: &Config) -> Result<Auth, Error> {
        let secret = config.api_secret.as_ref().or(config.oauth_client_secret.as_ref());
        let secret = secret.map(Secret::expose).unwrap_or_default();
        let id = config.api_key.as_ref().or(config.oauth_client_id.as_ref()).map_or("", String::as_str);
        let longest = if config.api_key.is_some() { LONGEST_KEY } else { LONGEST_CLIENT };
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        // The key of the hashes is never sent, so it cannot come back, and it may consist of words that occur in responses.
        // A long name has hyphens or periods, as secrets have capitals or neither.
        let is_name = id.contains(['-', '.']) && !id.contains(|c: char| c.is_ascii_uppercase());
        let long_id = if id.len() > longest && !is_name { id } else { "" };
        let pieces = Pieces::of(if secret.is_empty() { [""; 3] } else { [secret, &basic, long_id] });
        let told = [
            ("organization_id", config.organization_id.as_deref()),
            ("user_agent", config.user_agent.as_deref()),
            ("base_url", Some(config.base_url.as_str())),
            ("oauth_token_url", config.oauth_token_url.as_ref().map(|url| url.as_str())),
            ("identity_pool_id", config.identity_pool_id.as_deref()),
        ];
        // A setting may contain a secret that is shorter than a piece by chance.
        let betrays = |text: &&str| secret.chars().count() >= PIECE && pieces.are_in(text);
        if let Some((setting, _)) = told.iter().find(|(_, text)| text.as_ref().is_some_and(betrays)) {
            return Err(Error::config(format!(
                "settings: {setting} contains a piece of the credentials, which would become visible to others: \
                 correct it"
            )));
        }
        let none_yet = || Err(Error::broken(String::new()));
        let pass = config.api_key.as_ref().map_or_else(none_yet, |_| Ok((header("Basic", &basic), None)));
        let (config, pass) = (config.clone(), Mutex::new(pass));
        Ok(Auth { config, pieces, pass, tokens: RefCell::default(), exchanges: Cell::default() })
    }

    /// The header that authorizes a request. If it is missing, due or `refused`, a token is exchanged by way of `send`,
    /// which posts a form: once for all that wait for it, who share a failure too.
    ///
    /// # Errors
    /// As `send`; Config, if the file with the subject token cannot be used.
    pub async fn header(
        &self,
        refused: Option<&HeaderValue>,
        send: impl AsyncFn(Party, String) -> Result<Token, Error>,
    ) -> Result<HeaderValue, Error> {
        let before = self.exchanges.get();
        let mut pass = self.pass.lock().await;
        let is_usable = matches!(&*pass, Ok((header, due)) if refused != Some(header)
            && due.is_none_or(|due| Instant::now() < due));
        if !is_usable && self.exchanges.get() == before {
            *pass = self.exchange(send).await;
            self.exchanges.set(before + 1);
        }
        pass.clone().map(|(header, _)| header)
    }

    async fn exchange(&self, send: impl AsyncFn(Party, String) -> Result<Token, Error>) -> Pass {
        let config = &self.config;
        let subject = if let Some(path) = &config.oauth_subject_token_file {
            in_file(path)?
        } else {
            let form = form(&[
                ("grant_type", Some("client_credentials")),
                ("client_id", config.oauth_client_id.as_deref()),
                ("client_secret", config.oauth_client_secret.as_ref().map(Secret::expose)),
                ("scope", config.oauth_scope.as_deref()),
                ("audience", config.oauth_audience.as_deref()),
            ]);
            send(PROVIDER, form).await?.access_token.expose().to_owned()
        };
        self.learn(&subject);
        let form = form(&[
            ("grant_type", Some("urn:ietf:params:oauth:grant-type:token-exchange")),
            ("subject_token", Some(&subject)),
            ("subject_token_type", Some("urn:ietf:params:oauth:token-type:jwt")),
            ("requested_token_type", Some("urn:ietf:params:oauth:token-type:access_token")),
            ("identity_pool_id", config.identity_pool_id.as_deref()),
        ]);
        let asked = Instant::now();
        let Token { access_token, expires_in } = send(EXCHANGE, form).await?;
        self.learn(access_token.expose());
        Ok((header("Bearer", access_token.expose()), due(asked, &expires_in)))
    }

    fn learn(&self, token: &str) {
        // All JWTs begin alike. What follows is not shown, but a page token may contain parts of it, because it may encode
        // the same ids. The signature alone makes it a credential.
        let shown = token.split_once('.').map_or(token, |(_, rest)| rest);
        let kept = shown.rsplit_once('.').map_or(token, |(_, signature)| signature);
        let mut tokens = self.tokens.borrow_mut();
        tokens.push_front([Pieces::of([shown]), Pieces::of([kept])]);
        tokens.truncate(MOST_TOKENS);
    }

    /// A text from the service, to be shown or logged; or that it is withheld, if it contains a piece of the credentials,
    /// even an escaped one.
    pub fn withhold(&self, text: String) -> String {
        let text = self.pieces.withhold(text);
        self.tokens.borrow().iter().fold(text, |text, [shown, _]| shown.withhold(text))
    }

    /// Whether a text from the service contains a piece of the credentials, and must not be kept.
    pub fn is_in(&self, text: &str) -> bool {
        self.pieces.are_in(text) || self.tokens.borrow().iter().any(|[_, kept]| kept.are_in(text))
    }
}

/// The token in a response, if there is one that can be sent.
pub fn token(body: &[u8]) -> Option<Token> {
    let is_one = |text: &str| {
        (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    serde_json::from_slice(body).ok().filter(|token: &Token| is_one(token.access_token.expose()))
}

fn form(fields: &[(&str, Option<&str>)]) -> String {
    let given = fields.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    Serializer::new(String::new()).extend_pairs(given).finish()
}

/// A header that no log shows. All credentials are printable ASCII by now.
fn header(scheme: &str, credentials: &str) -> HeaderValue {
    let header = HeaderValue::try_from(format!("{scheme} {credentials}"));
    let mut header = header.unwrap_or_else(|_| HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// When a token that was asked for then is to be replaced; none if its life is not told, or not plausible.
fn due(asked: Instant, expires_in: &Value) -> Option<Instant> {
    let seconds = expires_in.as_f64().or_else(|| expires_in.as_str()?.trim().parse().ok())?;
    let life = Duration::try_from_secs_f64(seconds).ok().filter(|life| life.as_secs() > 0)?;
    asked.checked_add(life - EARLY.min(life / 2))
}

fn in_file(path: &str) -> Result<String, Error> {
    let what = "oauth_subject_token_file";
    let token = read_short(what, path, LONGEST_TOKEN as u64)?.unwrap_or_default().trim().to_owned();
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
        return Ok(token);
    }
    Err(Error::config(format!(
        "{} contains no token, or more than one: a JWT has letters, digits, hyphens, underscores and periods",
        named(what, path)
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_replaced_a_minute_early_or_after_half_its_life() {
        let now = Instant::now();
        // expires_in, milliseconds until it is due
        let table = [
            (json!(3600), Some(3_540_000)),
            (json!("3600"), Some(3_540_000)),
            (json!(" 900 "), Some(840_000)),
            (json!(120), Some(60_000)),
            (json!(119), Some(59_500)),
            (json!(2), Some(1_000)),
            (json!(1), Some(500)),
            (json!(0.5), None),
            (json!(1e-9), None),
            (json!(0), None),
            (json!(-1), None),
            (json!(null), None),
            (json!("soon"), None),
            (json!("NaN"), None),
            (json!([1]), None),
            (json!(u64::MAX), None),
            (json!(1e300), None),
        ];
        for (expires_in, expected) in table {
            let due = due(now, &expires_in).map(|due| (due - now).as_millis());
            assert_eq!(due, expected, "{expires_in}");
        }
    }
}
