//! The ways in which a run can prove who it is. The settings give exactly one, which a schema cannot say without words
//! that Airbyte's form refuses.

use serde_json::{Map, Value};

/// The settings of each way.
pub const WAYS: [&[&str]; 3] = [
    &["api_key", "api_secret"],
    &["identity_pool_id", "oauth_token_url", "oauth_client_id", "oauth_client_secret"],
    &["identity_pool_id", "oauth_subject_token_file"],
];

/// The names that Confluent's own tools use for the credentials: a separate source in the environment.
pub const THEIRS: [(&str, &str); 2] =
    [("api_key", "CONFLUENT_CLOUD_API_KEY"), ("api_secret", "CONFLUENT_CLOUD_API_SECRET")];

/// Those that the second way may have besides.
const BESIDES: [&str; 2] = ["oauth_scope", "oauth_audience"];

/// Whether a setting belongs to credentials, all of which come from one place: one from elsewhere belongs to others.
pub fn is_of_credentials(setting: &str) -> bool {
    WAYS.concat().contains(&setting) || BESIDES.contains(&setting)
}

/// Whether the settings name credentials, and so the place that these come from.
pub fn name_credentials(given: &Map<String, Value>) -> bool {
    ["api_key", "identity_pool_id"].iter().any(|name| given.contains_key(*name))
}

/// What is missing in the one way that is given, or that it cannot be told which way that is.
pub fn broken(given: &Map<String, Value>) -> Vec<String> {
    let named: Vec<_> = given.keys().map(String::as_str).filter(|name| is_of_credentials(name)).collect();
    let has = |way: &[&str], name| way.contains(name) || way == WAYS[1] && BESIDES.contains(name);
    let ways: Vec<_> = WAYS.iter().filter(|way| named.iter().all(|name| has(way, name))).collect();
    match ways.as_slice() {
        [way, rest @ ..] if rest.is_empty() || named.is_empty() => {
            let absent = way.iter().filter(|name| !given.contains_key(**name));
            absent.map(|name| missing(name, given)).collect()
        }
        _ => vec![format!(
            "it cannot be told from {} how to log in. Give one of these, and nothing of the others: api_key and \
             api_secret; identity_pool_id, oauth_token_url, oauth_client_id and oauth_client_secret; or \
             identity_pool_id and oauth_subject_token_file",
            named.join(", ")
        )],
    }
}

/// A setting that is missing, and where it is looked for.
fn missing(setting: &str, given: &Map<String, Value>) -> String {
    if given.contains_key("identity_pool_id") {
        return format!("{setting} is missing: it must come from the same place as identity_pool_id");
    }
    if setting == "api_secret" && given.contains_key("api_key") {
        return format!(
            "{setting} is missing: it must come from the same place as api_key, which is a file, or \
             TAP_CONFLUENT_CLOUD_API_SECRET beside TAP_CONFLUENT_CLOUD_API_KEY, or CONFLUENT_CLOUD_API_SECRET \
             beside CONFLUENT_CLOUD_API_KEY"
        );
    }
    let variable = THEIRS.iter().find(|(name, _)| *name == setting);
    let hint = variable.map_or(String::new(), |(_, variable)| format!(" (or set {variable})"));
    format!("{setting} is missing{hint}")
}
