//! The operator's settings: gathered from files and the environment, made to fit `schemas/config.json`,
//! and enforced. An error names the setting and the rule, never a value.

mod coerce;
mod names;
mod sources;

use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use jsonschema::error::ValidationErrorKind;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::error::Error;
use crate::secret::{Secret, is_name};
use crate::shape::{Drift, Personal};
use names::meant;
use sources::{Gathered, THEIRS, gather};

/// The JSON Schema of the settings, their only definition.
pub const SCHEMA: &str = include_str!("../../schemas/config.json");

/// Settings that hold what `schemas/config.json` promises.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    pub api_key: String,
    pub api_secret: Secret,
    pub organization_id: Option<String>,
    pub base_url: Url,
    pub concurrency: usize,
    pub page_size: u32,
    pub max_requests_per_second: Option<f64>,
    #[serde(rename = "request_timeout_seconds", deserialize_with = "seconds")]
    pub request_timeout: Duration,
    pub max_retries: u32,
    #[serde(rename = "retry_base_seconds", deserialize_with = "seconds")]
    pub retry_base: Duration,
    #[serde(rename = "max_retry_seconds", deserialize_with = "seconds")]
    pub max_retry: Duration,
    pub user_agent: Option<String>,
    pub schema_drift: Drift,
    pub personal_data: Personal,
    pub personal_data_key: Option<Secret>,
    pub emit_activate_version: bool,
    pub empty_lists: Doubt,
    pub shortened_lists: Doubt,
    ca_certificate: Option<String>,
}

impl Config {
    /// The same for a check, which is waited for by a person: it gives up earlier than a sync.
    #[must_use]
    pub fn impatient(mut self) -> Config {
        self.max_retries = self.max_retries.min(2);
        self.max_retry = self.max_retry.min(Duration::from_secs(30));
        self.request_timeout = self.request_timeout.min(Duration::from_secs(30));
        self.max_requests_per_second = self.max_requests_per_second.map(|most| most.max(1.0));
        self
    }

    /// The PEM of certificate authorities to trust besides the system's.
    ///
    /// # Errors
    /// Config, if the file that holds it cannot be read.
    pub fn ca_certificate(&self) -> Result<Option<Vec<u8>>, Error> {
        match &self.ca_certificate {
            Some(pem) if pem.starts_with("-----BEGIN") => Ok(Some(pem.as_bytes().to_vec())),
            Some(path) => std::fs::read(path)
                .map(Some)
                .map_err(|error| Error::config(format!("settings: ca_certificate cannot be read: {error}"))),
            None => Ok(None),
        }
    }

    /// Whether an error may quote what an answer says: it may hold names and e-mail addresses.
    pub fn quotes_answers(&self) -> bool {
        self.personal_data == Personal::Keep
    }
}

/// What becomes of a list that may not be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// It is passed on with a warning.
    Warn,
    /// It fails.
    Fail,
}

fn seconds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(serde::de::Error::custom)
}

/// Settings as gathered, not yet enforced: strings coerced, empty ones dropped. No Debug: it holds secrets.
pub struct Settings {
    schema: Value,
    gathered: Gathered,
}

impl Settings {
    /// Merges settings in order, later ones winning. `sources`: paths of JSON files, or `ENV`; the
    /// environment is read in any case, below the files where it is not named.
    ///
    /// # Errors
    /// Config, if a file cannot be read or is not a JSON object, or a name in it is nearly that of a setting.
    pub fn gather(
        sources: &[String],
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Settings, Error> {
        let schema = serde_json::from_str(SCHEMA).map_err(|error| {
            Error::broken(format!("the built-in schema of the settings is broken: {error}"))
        })?;
        let gathered = gather(&schema, sources, environment)?;
        Ok(Settings { schema, gathered })
    }

    /// What is to be told of names and variables that are not taken.
    pub fn warnings(&self) -> &[String] {
        &self.gathered.warnings
    }

    /// What is offered: the names of streams, and what becomes of personal data in them. Needs no
    /// credentials.
    ///
    /// # Errors
    /// Config, if one of these two settings breaks its rule.
    pub fn offered(&self) -> Result<(Vec<String>, Personal), Error> {
        let concerned = |(name, _): &(String, String)| name == "streams" || name == "personal_data";
        self.refuse(self.broken_rules().into_iter().filter(concerned).collect())?;
        let all = self.with_defaults();
        let streams = all["streams"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let personal = Personal::deserialize(&all["personal_data"]);
        let personal =
            personal.map_err(|_| Error::broken("the built-in default of personal_data is broken"))?;
        Ok((streams.map(str::to_owned).collect(), personal))
    }

    fn with_defaults(&self) -> Value {
        let mut all = self.gathered.given.clone();
        for (name, property) in self.schema["properties"].as_object().into_iter().flatten() {
            if let Some(default) = property.get("default") {
                all.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        all.into()
    }

    /// Enforces every rule.
    ///
    /// # Errors
    /// Config, naming each setting that breaks its rule, and the rule.
    pub fn enforce(&self) -> Result<Config, Error> {
        self.refuse(self.broken_rules())?;
        // Serde's message could quote a value, so it is not shown.
        let config: Config = serde_json::from_value(self.with_defaults()).map_err(|_| {
            Error::config("settings: base_url is not a URL such as https://api.confluent.cloud")
        })?;
        check_base_url(&config.base_url)?;
        if config.personal_data == Personal::Hash && config.personal_data_key.is_none() {
            return Err(Error::config(
                "settings: personal_data_key is missing, which personal_data: hash needs: give it a long random \
                 text, and keep it, so that hashes stay the same",
            ));
        }
        Ok(config)
    }

    fn refuse(&self, broken: Vec<(String, String)>) -> Result<(), Error> {
        if broken.is_empty() {
            return Ok(());
        }
        let rules: Vec<_> = broken.iter().map(|(name, rule)| format!("{name} {rule}")).collect();
        Err(Error::config(format!(
            "settings: {}. Give settings in a file (--config FILE) or in the environment; \
             `--about` lists them all.",
            rules.join("; ")
        )))
    }

    /// Each setting that breaks a rule of the schema, with words on the rule.
    fn broken_rules(&self) -> Vec<(String, String)> {
        let given = Value::Object(self.gathered.given.clone());
        let Ok(validator) = jsonschema::draft7::new(&self.schema) else {
            return vec![("schemas/config.json".to_owned(), "is not a JSON Schema".to_owned())];
        };
        validator.iter_errors(&given).map(|error| words(&error, &self.gathered.given)).collect()
    }
}

fn words(error: &jsonschema::ValidationError<'_>, given: &Map<String, Value>) -> (String, String) {
    let path = error.instance_path().to_string();
    let name = path.split('/').nth(1).unwrap_or_default().to_owned();
    let found = told(error.instance(), given);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            (name.to_owned(), missing(name, given.contains_key("api_key")))
        }
        ValidationErrorKind::Type { kind: jsonschema::error::TypeKind::Single(kind) } => {
            (name, format!("must be of type {kind}, not {found}"))
        }
        ValidationErrorKind::Enum { options } => {
            let options =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
            let near = meant(found.trim_matches('"'), options.iter().copied());
            let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
            (name, format!("holds {found}, which is none of {}{near}", options.join(", ")))
        }
        ValidationErrorKind::Minimum { limit } => (name, format!("must be at least {limit}, not {found}")),
        ValidationErrorKind::Maximum { limit } => (name, format!("must be at most {limit}, not {found}")),
        ValidationErrorKind::Pattern { .. }
            if name == "base_url" && !error.instance().to_string().contains(':') =>
        {
            // A secret has capitals, and no dot.
            let host = found.trim_matches('"');
            let is_told = host.contains('.') && !host.contains(|c: char| c.is_ascii_uppercase());
            let right = if is_told { format!(", as in https://{host}") } else { String::new() };
            (name, format!("lacks its scheme: add https://{right}"))
        }
        ValidationErrorKind::MinItems { .. } => (name, "must not be empty".to_owned()),
        ValidationErrorKind::UniqueItems => (name, "names something twice".to_owned()),
        ValidationErrorKind::Pattern { pattern } => (name, format!("must match {pattern}")),
        _ => (name, error.masked().to_string()),
    }
}

/// A value as JSON if it is plain and no secret, for one may have been pasted anywhere; else what it is.
fn told(value: &Value, given: &Map<String, Value>) -> String {
    let json = value.to_string();
    let text = json.trim_matches('"');
    let holds = |secret: &Value| secret == value || (text.len() >= 10 && secret.to_string().contains(text));
    let is_secret = ["api_secret", "personal_data_key"].iter().filter_map(|name| given.get(*name)).any(holds);
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        // A key of hashes may be as plain as a name, but is longer, and has no dot as hosts have.
        _ if !is_secret && is_name(text) && (text.len() <= 20 || text.contains('.')) => json,
        Value::String(_) => "a text".to_owned(),
        _ => "a number".to_owned(),
    }
}

fn missing(setting: &str, key_is_given: bool) -> String {
    if setting == "api_secret" && key_is_given {
        return "is missing: it must come from the same place as api_key, which is a file, or \
                TAP_CONFLUENT_CLOUD_API_SECRET beside TAP_CONFLUENT_CLOUD_API_KEY, or CONFLUENT_CLOUD_API_SECRET \
                beside CONFLUENT_CLOUD_API_KEY"
            .to_owned();
    }
    let variable = THEIRS.iter().find(|(name, _)| *name == setting);
    let hint = variable.map_or(String::new(), |(_, variable)| format!(" (or set {variable})"));
    format!("is missing{hint}")
}

fn check_base_url(url: &Url) -> Result<(), Error> {
    if url.as_str() != format!("{}{}", url.origin().ascii_serialization(), url.path()) {
        return Err(Error::config(
            "settings: base_url must be a host and perhaps a path, without user, query or fragment. \
             Credentials belong into api_key and api_secret.",
        ));
    }
    if url.scheme() != "https" && !is_loopback(url) {
        return Err(Error::config(
            "settings: base_url must begin with https:// (plain http would send the API secret in the open; \
             it is accepted to a loopback address only)",
        ));
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

    fn settings(given: Value) -> Settings {
        let mut settings = Settings::gather(&[], []).unwrap();
        settings.gathered.given = sources::fitting(&settings.schema, given.as_object().unwrap().clone());
        settings
    }

    fn with_key(mut given: Value) -> Settings {
        given["api_key"] = "KEY".into();
        given["api_secret"] = "hush".into();
        settings(given)
    }

    #[test]
    fn texts_are_coerced_where_something_else_is_meant() {
        let config = with_key(json!({
            "page_size": "5", "retry_base_seconds": "0.25", "concurrency": " 2 ", "organization_id": "",
            "max_requests_per_second": null, "api_key": " KEY\n", "max_retries": 2.0
        }));
        let config = config.enforce().unwrap();
        assert_eq!((config.page_size, config.concurrency), (5, 2));
        assert_eq!(config.retry_base, Duration::from_millis(250));
        assert_eq!((config.organization_id, config.max_requests_per_second), (None, None));
        for streams in [
            json!("[\"users\", \"invitations\"]"),
            json!("users, invitations"),
            json!(["users", "invitations"]),
        ] {
            assert_eq!(settings(json!({"streams": streams})).offered().unwrap().0, ["users", "invitations"]);
        }
        assert_eq!(settings(json!({})).offered().unwrap().0.len(), 4);
    }

    #[test]
    fn each_rule_has_words_and_no_value() {
        let table = [
            (json!({"page_size": 101}), "page_size must be at most 100"),
            (json!({"page_size": "hush"}), "page_size must be of type integer, not a text"),
            (json!({"page_size": "many"}), "page_size must be of type integer, not \"many\""),
            // As long as a key of hashes: a setting of its own, which is near this one.
            (json!({"personal_data": "hush2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}), "holds a text, which is"),
            (json!({"base_url": "api.of-a-long-name.example.com"}), "https://api.of-a-long-name.example.com"),
            (json!({"page_size": 1.5}), "page_size must be of type integer, not 1.5"),
            (json!({"page_size": [1]}), "page_size must be of type integer, not a list"),
            (json!({"user_agent": {"a": 1}}), "user_agent must be of type string, not an object"),
            (json!({"concurrency": 0}), "concurrency must be at least 1, not 0"),
            (json!({"personal_data": "OMITT"}), "none of keep, hash, omit (did you mean omit?)"),
            (
                json!({"schema_drift": "ignore"}),
                "schema_drift holds \"ignore\", which is none of pass, warn, fail",
            ),
            (
                json!({"streams": ["users", "userz"]}),
                "streams holds \"userz\", which is none of users, invitations",
            ),
            (json!({"streams": ["{\"api_secret\": \"s3cret\"}"]}), "streams holds a text, which is none of"),
            (json!({"streams": []}), "streams must not be empty"),
            (json!({"streams": "users,users"}), "streams names something twice"),
            (json!({"api_secret": 5}), "api_secret must be of type string"),
            (json!({"base_url": "s3cret"}), "base_url lacks its scheme: add https://"),
            (json!({"base_url": "api.confluent.cloud"}), "https://, as in https://api.confluent.cloud"),
            (json!({"base_url": "ftp://s3cret"}), "base_url must match"),
            (json!({"base_url": "https://[s3cret"}), "base_url is not a URL"),
            (json!({"base_url": "http://api.confluent.cloud"}), "base_url must begin with https://"),
            (json!({"base_url": "http://127.0.0.1.example.com"}), "base_url must begin with https://"),
            (json!({"base_url": "https://user:s3cret@example.com"}), "without user"),
            (json!({"user_agent": "s3cret\nx"}), "user_agent must match"),
            (json!({"organization_id": "crn://s3cret"}), "organization_id must match"),
            (json!({"organization_id": "*"}), "organization_id must match"),
        ];
        for (given, expected) in table {
            let mut given = given;
            given.as_object_mut().unwrap().entry("api_secret").or_insert("hush".into());
            given["api_key"] = "KEY".into();
            let error = settings(given.clone()).enforce().unwrap_err().to_string();
            assert!(error.contains(expected), "{given}: {error}");
            assert!(!error.contains("s3cret") && !error.contains("hush"), "{error}");
        }
        let error = settings(json!({"api_key": "KEY"})).enforce().unwrap_err().to_string();
        assert!(
            error.contains("api_secret is missing: it must come from the same place as api_key"),
            "{error}"
        );
        let error = settings(json!({})).enforce().unwrap_err().to_string();
        assert!(error.contains("api_key is missing (or set CONFLUENT_CLOUD_API_KEY)"), "{error}");
        assert!(error.contains("api_secret is missing (or set CONFLUENT_CLOUD_API_SECRET)"), "{error}");
    }

    #[test]
    fn loopback_may_be_plain() {
        for url in ["http://127.0.0.1:80", "http://localhost:1", "http://[::1]:2", "https://example.com/api"]
        {
            assert!(with_key(json!({"base_url": url})).enforce().is_ok(), "{url}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert!(!format!("{:?}", with_key(json!({})).enforce().unwrap()).contains("hush"));
    }

    #[test]
    fn the_offered_streams_are_those_of_the_schema() {
        let names: Vec<_> = crate::streams::STREAMS.iter().map(|stream| stream.name).collect();
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(schema["properties"]["streams"]["items"]["enum"], json!(names));
    }
}
