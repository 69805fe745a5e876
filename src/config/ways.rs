//! The ways in which a run can prove who it is. The settings give exactly one, which a schema cannot say without words
//! that Airbyte's form refuses.

use serde_json::{Map, Value};

/// The settings of each way.
pub const WAYS: [&[&str]; 3] = [
    &["api_key", "api_secret"],
    &["identity_pool_id", "oauth_token_url", "oauth_client_id", "oauth_client_secret"],
    &["identity_pool_id", "oauth_subject_token_file"],
];

/// Those that the second way may have besides.
const BESIDES: [&str; 2] = ["oauth_scope", "oauth_audience"];

/// Whether a setting belongs to credentials, all of which come from one place: one from elsewhere belongs to others.
pub fn is_of_credentials(setting: &str) -> bool {
    setting == "organization_id" || WAYS.concat().contains(&setting) || BESIDES.contains(&setting)
}

/// Whether the settings name credentials, and so the place that these come from.
pub fn name_credentials(given: &Map<String, Value>) -> bool {
    ["api_key", "identity_pool_id"].iter().any(|name| given.contains_key(*name))
}

/// The settings that are missing in the one way that is given.
///
/// # Errors
/// In words, if it cannot be told which way that is.
pub fn missing(given: &Map<String, Value>) -> Result<Vec<&'static str>, String> {
    let named: Vec<&str> = given
        .keys()
        .map(String::as_str)
        .filter(|name| is_of_credentials(name) && *name != "organization_id")
        .collect();
    let has = |way: &[&str], name| way.contains(name) || way == WAYS[1] && BESIDES.contains(name);
    let ways: Vec<_> = WAYS.iter().filter(|way| named.iter().all(|name| has(way, name))).collect();
    match ways.as_slice() {
        [way, rest @ ..] if rest.is_empty() || named.is_empty() => {
            Ok(way.iter().copied().filter(|name| !given.contains_key(*name)).collect())
        }
        _ => Err(format!(
            "it cannot be told from {} how to log in. Give one of these, and nothing of the others: api_key and \
             api_secret; identity_pool_id, oauth_token_url, oauth_client_id and oauth_client_secret; or \
             identity_pool_id and oauth_subject_token_file",
            named.join(", ")
        )),
    }
}
