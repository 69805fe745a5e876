//! The settings: gathered from files and the environment, coerced to the types of `schemas/config.json`, and
//! validated. An error names the setting and the rule, and never quotes a possible secret.

mod coerce;
mod names;
mod rules;
mod schema;
mod sources;
mod ways;

use std::net::IpAddr;
use std::time::Duration;

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};
use url::Url;

use crate::error::Error;
use crate::secret::Secret;
use crate::shape::{Drift, Personal};
use schema::names;
pub use schema::{SCHEMA, is_credential};
pub use sources::gather;
pub use ways::WAYS;

/// Settings that satisfy `schemas/config.json`. Of the credentials, those of one way are there.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    pub api_key: Option<String>,
    pub api_secret: Option<Secret>,
    pub identity_pool_id: Option<String>,
    pub oauth_token_url: Option<Url>,
    pub oauth_client_id: Option<String>,
    pub oauth_client_secret: Option<Secret>,
    pub oauth_scope: Option<String>,
    pub oauth_audience: Option<String>,
    pub oauth_subject_token_file: Option<String>,
    pub organization_id: Option<String>,
    #[serde(flatten)]
    pub offered: Offered,
    pub base_url: Url,
    pub concurrency: usize,
    pub page_size: Option<u32>,
    pub start_date: Option<NaiveDate>,
    pub cost_days_late: u64,
    pub max_requests_per_second: Option<f64>,
    #[serde(rename = "request_timeout_seconds", deserialize_with = "seconds")]
    pub request_timeout: Duration,
    #[serde(flatten)]
    pub retry: Retry,
    pub user_agent: Option<String>,
    pub schema_drift: Drift,
    pub personal_data_key: Option<Secret>,
    pub emit_activate_version: bool,
    pub empty_lists: Doubt,
    pub shortened_lists: Doubt,
    pub shrink_percent: u64,
    pub shrunk_lists: Doubt,
    /// PEM of certificate authorities to trust in addition to the system's.
    #[serde(default, deserialize_with = "pem")]
    pub ca_certificate: Option<Vec<u8>>,
}

/// How often and how long one page is retried.
#[derive(Clone, Debug, Deserialize)]
pub struct Retry {
    /// Retries of one page.
    pub max_retries: u32,
    /// The longest first wait; it doubles with each try.
    #[serde(rename = "retry_base_seconds", deserialize_with = "seconds")]
    pub base: Duration,
    /// Wall-clock that one page may take from its first failure.
    #[serde(rename = "max_retry_seconds", deserialize_with = "seconds")]
    pub budget: Duration,
}

/// The settings that decide what is offered. They need no credentials.
#[derive(Clone, Debug, Deserialize)]
pub struct Offered {
    pub streams: Vec<String>,
    pub personal_data: Personal,
}

impl Config {
    /// Enforces every rule on the gathered settings.
    ///
    /// # Errors
    /// Config, naming each setting that breaks its rule, and the rule.
    pub fn enforce(given: Map<String, Value>) -> Result<Config, Error> {
        refuse(&ways::broken(&given))?;
        let config: Config = enforce(given, None)?;
        if config.offered.personal_data == Personal::Hash && config.personal_data_key.is_none() {
            return Err(Error::config(
                "settings: personal_data_key is missing, but personal_data: hash requires it: set it to a \
                 long random string, and keep that string, so that hashes stay the same",
            ));
        }
        Ok(config)
    }

    /// The settings for a check: it gives up earlier than a sync, because a person waits for it.
    #[must_use]
    pub fn impatient(mut self) -> Config {
        self.retry.max_retries = self.retry.max_retries.min(2);
        self.retry.budget = self.retry.budget.min(Duration::from_secs(30));
        self.request_timeout = self.request_timeout.min(Duration::from_secs(30));
        self.max_requests_per_second = self.max_requests_per_second.map(|most| most.max(1.0));
        self
    }

    /// What the run acts as: an API key or an identity pool, and its id.
    pub fn identity(&self) -> (&'static str, &str) {
        let pool = || ("identity pool", self.identity_pool_id.as_deref().unwrap_or_default());
        self.api_key.as_ref().map_or_else(pool, |key| ("API key", key))
    }

    /// Whether an error may quote a response, which may contain names and e-mail addresses.
    pub fn quotes_answers(&self) -> bool {
        self.offered.personal_data == Personal::Keep
    }
}

impl Offered {
    /// The same for these settings only. The others are not needed, and are known only so that they are not shown.
    ///
    /// # Errors
    /// As [`Config::enforce`].
    pub fn enforce(given: Map<String, Value>) -> Result<Offered, Error> {
        enforce(given, Some(&["streams", "personal_data"]))
    }
}

/// How to treat a list that may be incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// It is passed on with a warning.
    Warn,
    /// It fails.
    Fail,
}

impl Doubt {
    pub fn fails(self) -> bool {
        self == Doubt::Fail
    }
}

/// Adds the defaults and enforces the rules, of these settings only if there are any.
fn enforce<T: DeserializeOwned>(mut given: Map<String, Value>, only: Option<&[&str]>) -> Result<T, Error> {
    for name in names() {
        if let Some(default) = SCHEMA["properties"][name].get("default") {
            given.entry(name).or_insert_with(|| default.clone());
        }
    }
    refuse(&rules::broken(&given, only))?;
    for (setting, url) in given.iter().filter(|(name, _)| only.is_none() && name.ends_with("_url")) {
        check_url(setting, url.as_str().unwrap_or_default())?;
    }
    // Values that satisfy the schema are rejected with our own messages only, which name the setting and quote nothing.
    serde_json::from_value(given.into()).map_err(|error| Error::config(error.to_string()))
}

/// The error that names the rules which are broken, if any are.
fn refuse(broken: &[String]) -> Result<(), Error> {
    if broken.is_empty() {
        return Ok(());
    }
    Err(Error::config(format!(
        "settings: {}. Give settings in a file (--config FILE) or in the environment; `--about` lists them all.",
        broken.join("; ")
    )))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(D::Error::custom)
}

/// A PEM as it is, or in the file of that path.
fn pem<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = String::deserialize(from)?;
    let pem = if text.starts_with("-----BEGIN") { Ok(text.into()) } else { std::fs::read(text) };
    pem.map(Some)
        .map_err(|error| D::Error::custom(format!("settings: ca_certificate cannot be read: {error}")))
}

/// Whether credentials may be sent to the URL in a setting.
fn check_url(setting: &str, text: &str) -> Result<(), Error> {
    let like = SCHEMA["properties"][setting]["pattern_descriptor"].as_str().unwrap_or_default();
    let url = Url::parse(text).map_err(|_| Error::config(format!("settings: {setting} is not {like}")))?;
    if url.as_str() != format!("{}{}", url.origin().ascii_serialization(), url.path()) {
        return Err(Error::config(format!(
            "settings: {setting} must consist of a scheme, a host and optionally a path, without user, query \
             or fragment. Credentials belong in settings of their own.",
        )));
    }
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err(Error::config(format!(
            "settings: {setting} must begin with https:// (plain http would send secrets unencrypted; \
             it is accepted for loopback addresses only)",
        )));
    }
    Ok(())
}

/// Whether the URL leads to this machine: `localhost`, 127.0.0.0/8 or [::1].
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fitting(given: &Value) -> Map<String, Value> {
        let given = given.as_object().unwrap().clone();
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), coerce::fit(&name, value)?)))
            .collect()
    }

    fn enforced(given: &Value) -> Result<Config, Error> {
        Config::enforce(fitting(given))
    }

    fn with_key(mut given: Value) -> Result<Config, Error> {
        let defaults = json!({"api_key": "KEY", "api_secret": "hush"});
        for (name, value) in defaults.as_object().unwrap() {
            given.as_object_mut().unwrap().entry(name).or_insert_with(|| value.clone());
        }
        enforced(&given)
    }

    fn offered(given: &Value) -> Vec<String> {
        Offered::enforce(fitting(given)).unwrap().streams
    }

    #[test]
    fn texts_are_coerced_where_something_else_is_meant() {
        let config = with_key(json!({
            "page_size": "5", "retry_base_seconds": "0.25", "concurrency": " 2 ", "organization_id": "",
            "max_requests_per_second": null, "api_key": " KEY\n", "max_retries": 2.0,
            "start_date": "2026-05-01T00:00:00Z"
        }));
        let config = config.unwrap();
        assert_eq!((config.page_size, config.concurrency), (Some(5), 2));
        assert_eq!(config.start_date.map(|day| day.to_string()).as_deref(), Some("2026-05-01"));
        assert_eq!(config.retry.base, Duration::from_millis(250));
        assert_eq!((config.organization_id, config.max_requests_per_second), (None, None));
        for streams in [
            json!("[\"users\", \"invitations\"]"),
            json!("users, invitations"),
            json!(["users", "invitations"]),
        ] {
            assert_eq!(offered(&json!({"streams": streams})), ["users", "invitations"]);
        }
        assert_eq!(offered(&json!({})).len(), 4);
    }

    #[test]
    fn each_rule_has_words_and_no_value() {
        let table = [
            (json!({"page_size": 10001}), "page_size must be at most 10000"),
            (json!({"page_size": "hush"}), "page_size must be of type integer, not a string"),
            (json!({"page_size": "many"}), "page_size must be of type integer, not \"many\""),
            // As long as a key of hashes: a setting of its own, which is near this one.
            (
                json!({"personal_data": "hush2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}),
                "must be one of keep, hash, omit, not a string",
            ),
            (json!({"base_url": "api.of-a-long-name.example.com"}), "https://api.of-a-long-name.example.com"),
            (json!({"page_size": 1.5}), "page_size must be of type integer, not 1.5"),
            (json!({"page_size": [1]}), "page_size must be of type integer, not a list"),
            (json!({"user_agent": {"a": 1}}), "user_agent must be of type string, not an object"),
            (json!({"start_date": "2026-02-30"}), "start_date must be a date such as 2026-01-31"),
            (json!({"start_date": "2026-2-3"}), "start_date must be a date such as 2026-01-31"),
            (json!({"concurrency": 0}), "concurrency must be at least 1, not 0"),
            (
                json!({"personal_data": "OMITT"}),
                "must be one of keep, hash, omit, not \"OMITT\" (did you mean omit?)",
            ),
            (
                json!({"schema_drift": "ignore"}),
                "schema_drift must be one of pass, warn, fail, not \"ignore\"",
            ),
            (json!({"streams": ["users", "userz"]}), "streams must be one of users, invitations"),
            (json!({"streams": ["{\"api_secret\": \"s3cret\"}"]}), ", not a string. Give settings"),
            (json!({"streams": []}), "streams must not be empty"),
            (json!({"streams": "users,users"}), "streams must not contain duplicates"),
            (json!({"api_secret": 5}), "api_secret must be of type string"),
            (json!({"base_url": "s3cret"}), "base_url has no scheme: add https://"),
            (json!({"base_url": "api.confluent.cloud"}), "https://, as in https://api.confluent.cloud"),
            (
                json!({"base_url": "ftp://s3cret"}),
                "base_url must be a URL such as https://api.confluent.cloud.",
            ),
            (json!({"base_url": "https://[s3cret"}), "base_url is not a URL"),
            (json!({"base_url": "http://api.confluent.cloud"}), "base_url must begin with https://"),
            (json!({"base_url": "http://127.0.0.1.example.com"}), "base_url must begin with https://"),
            (json!({"base_url": "https://user:s3cret@example.com"}), "without user"),
            (json!({"user_agent": "s3cret\nx"}), "user_agent must be printable ASCII text."),
            (json!({"user_agent": "Zürich"}), "user_agent must be printable ASCII text, not \"Zürich\""),
            (json!({"personal_data_key": "hush"}), "personal_data_key must have at least 16 characters"),
            (json!({"organization_id": "a:hush@b"}), "underscores and hyphens."),
            (json!({"organization_id": "crn://s3cret"}), "organization_id must be an id of at most"),
            (json!({"organization_id": "*"}), "underscores and hyphens, not \"*\""),
        ];
        for (given, expected) in table {
            let error = with_key(given.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{given}: {error}");
            assert!(!error.contains("s3cret") && !error.contains("hush"), "{error}");
        }
        let error = enforced(&json!({"api_key": "KEY"})).unwrap_err().to_string();
        assert!(
            error.contains("api_secret is missing: it must come from the same place as api_key"),
            "{error}"
        );
        let error = enforced(&json!({})).unwrap_err().to_string();
        assert!(error.contains("api_key is missing (or set CONFLUENT_CLOUD_API_KEY)"), "{error}");
        assert!(error.contains("api_secret is missing (or set CONFLUENT_CLOUD_API_SECRET)"), "{error}");
    }

    #[test]
    fn a_secret_in_place_of_what_is_offered_is_not_shown() {
        let given =
            json!({"api_secret": "hush-5up3r-s3cret", "personal_data": "5up3r-s3cret", "page_size": 0});
        let error = Offered::enforce(fitting(&given)).unwrap_err().to_string();
        assert!(
            error.starts_with("settings: personal_data must be one of keep, hash, omit, not a string."),
            "{error}"
        );
        assert!(!error.contains("page_size"), "{error}");
    }

    #[test]
    fn a_secret_in_place_of_a_day_is_not_shown_in_part() {
        let error =
            with_key(json!({"start_date": "hu5hT5up3rs3cretOfManyCharacters"})).unwrap_err().to_string();
        assert!(error.starts_with("settings: start_date must be a date such as 2026-01-31."), "{error}");
    }

    #[test]
    fn loopback_may_be_plain() {
        for url in ["http://127.0.0.1:80", "http://localhost:1", "http://[::1]:2", "https://example.com/api"]
        {
            assert!(with_key(json!({"base_url": url})).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert!(!format!("{:?}", with_key(json!({})).unwrap()).contains("hush"));
    }
}
