//! A customer's identity provider, on an origin of its own, and the service's token exchange: who gets
//! a token, what it is good for and how long.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Simulator;
use crate::faults::Fault;
use crate::http::{Answer, Head};
use crate::log::{EXCHANGE, PROVIDER, lock};
use crate::oauth::{OAuth, pool};
use crate::random::{base64, characters, dice};
use crate::refusals::{Refusal, refuse};

/// Of a provider like Okta.
const PROVIDER_PATH: &str = "/oauth2/default/v1/token";
const EXCHANGE_PATH: &str = "/sts/v1/oauth2/token";

/// Parts of the service that take API keys only (Terraform's provider).
const KEYS_ONLY: [&str; 2] = ["/srcm/v3/", "/connect/v1/custom-connector-plugins"];

/// A token that was given.
struct Given {
    /// Of one of the provider.
    audience: Option<String>,
    until: Instant,
    /// Requests that are left.
    left: u64,
}

/// Both endpoints.
pub struct Issuer {
    facts: OAuth,
    client: (String, String),
    pool: String,
    rude: bool,
    given: Mutex<HashMap<String, Given>>,
    /// Every token that was given, in order.
    all: Mutex<Vec<String>>,
    revoked: AtomicBool,
}

impl Issuer {
    pub fn new(facts: OAuth, seed: u64, rude: bool) -> Self {
        let mut dice = dice(&[seed, 0x6f61_7574]);
        let client = (
            format!("0oa{}", characters(&mut dice, b"abcdefghijklmnopqrstuvwxyz0123456789", 17)),
            format!("{}~{}", base64(&mut dice, 20), base64(&mut dice, 19)),
        );
        let pool = pool(seed);
        let (given, all, revoked) = Default::default();
        Self { facts, client, pool, rude, given, all, revoked }
    }

    /// Whether a bearer of this may ask for that path.
    pub fn admits(&self, token: &str, path: &str) -> bool {
        let path = path.strip_prefix("/api").unwrap_or(path);
        !self.revoked.load(SeqCst)
            && !KEYS_ONLY.iter().any(|start| path.starts_with(start))
            && lock(&self.given).get(token).is_some_and(|given| {
                given.audience.is_none() && given.until > Instant::now() && given.left > 0
            })
    }

    /// Counts a request.
    pub fn spend(&self, token: &str) {
        if let Some(given) = lock(&self.given).get_mut(token) {
            given.left -= 1;
        }
    }

    /// The answer of the endpoint that a request is for, if it is for one.
    pub fn answer(&self, head: &Head) -> Option<Result<Answer, Refusal>> {
        let answer = match (head.at_provider, head.path.as_str()) {
            (true, PROVIDER_PATH) => Self::provide,
            (false, EXCHANGE_PATH) => Self::exchange,
            (true, _) => return Some(Err(refuse(Fault::plain(404, "404 page not found")))),
            (false, _) => return None,
        };
        Some(if head.method == "POST" {
            answer(self, head)
        } else {
            Err(refuse(Fault::errors(405, "Method Not Allowed")))
        })
    }

    fn provide(&self, head: &Head) -> Result<Answer, Refusal> {
        let field = |name: &str| head.form.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let refused = |status, code: &str, why: &str| {
            let body = json!({"error": code, "error_description": why}).to_string();
            Err(refuse(
                Fault::Status { status, body, headers: Vec::new() }
                    .with_header("Content-Type", "application/json"),
            ))
        };
        if field("grant_type").is_none_or(|kind| kind != "client_credentials") {
            return refused(400, "unsupported_grant_type", "The grant type is not supported");
        }
        if (field("client_id"), field("client_secret")) != (Some(&self.client.0), Some(&self.client.1)) {
            return refused(
                401,
                "invalid_client",
                "The client secret supplied for a confidential client is invalid.",
            );
        }
        if self.facts.scope.as_ref().is_some_and(|scope| field("scope") != Some(scope)) {
            return refused(400, "invalid_scope", "One or more scopes are not configured.");
        }
        let token = self.subject(field("audience").map_or("confluent", String::as_str));
        Ok(self.given(&json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token})))
    }

    fn exchange(&self, head: &Head) -> Result<Answer, Refusal> {
        let mut form: Vec<(&str, &str)> =
            head.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let refused = |why: &str| Err(refuse(Fault::errors(400, why)));
        let urn = |rest| format!("urn:ietf:params:oauth:{rest}");
        for (name, wanted) in [
            ("grant_type", urn("grant-type:token-exchange")),
            ("subject_token_type", urn("token-type:jwt")),
            ("requested_token_type", urn("token-type:access_token")),
        ] {
            let Some(place) = form.iter().position(|field| *field == (name, wanted.as_str())) else {
                return refused(&format!("invalid {name}"));
            };
            form.remove(place);
        }
        form.sort_unstable();
        let [("identity_pool_id", pool), ("subject_token", subject)] = form.as_slice() else {
            return refused("invalid request parameters");
        };
        if *pool != self.pool || self.revoked.load(SeqCst) {
            return refused("identity pool not found");
        }
        let audience = lock(&self.given).get(*subject).and_then(|given| given.audience.clone());
        match audience {
            None => return refused("the subject token is invalid or has expired"),
            Some(audience) if audience != self.facts.audience => {
                return refused("the subject token does not match the filter of the identity pool");
            }
            Some(_) => {}
        }
        let token = self.token(None, self.facts.lifetime, self.facts.requests);
        let seconds = self.facts.lifetime.as_secs_f64();
        let whole = self.facts.lifetime.subsec_nanos() == 0;
        Ok(self.given(&json!({
            "access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": if whole { json!(seconds as u64) } else { json!(seconds) },
        })))
    }

    /// A good answer; a rude one is indented, has a field that nobody declared, and writes numbers as texts.
    fn given(&self, body: &Value) -> Answer {
        let mut body = body.clone();
        if self.rude {
            body["ext_expires_in"] = body["expires_in"].clone();
            body["expires_in"] = body["expires_in"].to_string().into();
        }
        Answer::json(200, if self.rude { format!("{body:#}") } else { body.to_string() })
    }

    /// A token of the provider.
    fn subject(&self, audience: &str) -> String {
        self.token(Some(audience.to_owned()), Duration::from_secs(3600), u64::MAX)
    }

    fn token(&self, audience: Option<String>, lifetime: Duration, left: u64) -> String {
        let claims = json!({
            "iss": if audience.is_some() { "https://idp.example.com" } else { "https://confluent.cloud" },
            "sub": if audience.is_some() { &self.client.0 } else { &self.pool },
            "aud": audience, "jti": fastrand::u64(..),
        });
        let signature: String = (0..86).map(|_| fastrand::alphanumeric()).collect();
        let [header, claims] =
            [r#"{"alg":"RS256","typ":"JWT"}"#, &claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
        let token = format!("{header}.{claims}.{signature}");
        let until = Instant::now() + lifetime;
        lock(&self.given).insert(token.clone(), Given { audience, until, left });
        lock(&self.all).push(token.clone());
        token
    }

    fn end(&self, of_provider: bool) {
        lock(&self.given).retain(|_, given| given.audience.is_some() != of_provider);
    }
}

/// The endpoint that a request is for, by the name that faults have for it.
pub fn endpoint(head: &Head) -> Option<&'static str> {
    match (head.at_provider, head.path.as_str()) {
        (true, _) => Some(PROVIDER),
        (false, EXCHANGE_PATH) => Some(EXCHANGE),
        (false, _) => None,
    }
}

/// Of a simulator that was started with [`Scenario::oauth`](crate::Scenario::oauth).
impl Simulator {
    fn issuer(&self) -> &Issuer {
        self.shared.service.issuer.as_ref().expect("the scenario has oauth")
    }

    /// Whether it is such.
    pub fn has_oauth(&self) -> bool {
        self.provider.is_some()
    }

    /// The origin of the identity provider.
    pub fn provider_url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.provider.expect("the scenario has oauth"))
    }

    /// Where it gives tokens.
    pub fn oauth_token_url(&self) -> String {
        format!("{}{PROVIDER_PATH}", self.provider_url())
    }

    pub fn oauth_client_id(&self) -> &str {
        &self.issuer().client.0
    }

    pub fn oauth_client_secret(&self) -> &str {
        &self.issuer().client.1
    }

    pub fn identity_pool_id(&self) -> &str {
        &self.issuer().pool
    }

    /// A token of the provider, as something else has got it.
    pub fn subject_token(&self) -> String {
        self.issuer().subject("confluent")
    }

    /// No token of the provider is good any more; new ones are.
    pub fn end_subject_tokens(&self) {
        self.issuer().end(true);
    }

    /// No token of the service is good any more; new ones are.
    pub fn end_access_tokens(&self) {
        self.issuer().end(false);
    }

    /// The pool is gone.
    pub fn revoke_pool(&self) {
        self.issuer().revoked.store(true, SeqCst);
    }

    /// Every token that was given so far, of both; none without oauth.
    pub fn tokens(&self) -> Vec<String> {
        self.shared.service.issuer.as_ref().map_or_else(Vec::new, |issuer| lock(&issuer.all).clone())
    }
}
