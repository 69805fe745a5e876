//! Whether lists may be shortened to what the owner of the key may see, and what a check says in the end.
//!
//! A check itself is a sample of the sync; see `sync`.

use serde_json::Value;

use crate::api::listing::Listing;
use crate::api::organization::Organization;
use crate::api::{Client, Wait};
use crate::error::Error;
use crate::log;
use crate::partition::Partition;
use crate::streams::{API_KEY, ROLE_BINDINGS};

/// The role that reads everything.
const ADMIN: &str = ROLE_BINDINGS.role;

/// Maximum pages of the owner's role bindings. A principal has only a few roles in the
/// organization.
const MOST_PAGES: usize = 5;

/// Maximum length of an id, in characters (Confluent's API reference).
const LONGEST_ID: usize = 255;

/// Tells people of a wait.
pub async fn tell(wait: Wait) {
    log::info(wait.to_string());
}

/// All problems in one text; none if every stream can be read.
pub fn verdict(streams: usize, failed: &[(String, Error)], shortened: Option<String>) -> Option<String> {
    if failed.is_empty() {
        return None;
    }
    let mut words = vec![format!("{} of {streams} streams cannot be read", failed.len())];
    words.extend(failed.iter().map(|(stream, error)| format!("{stream}: {error}")));
    words.extend(shortened);
    Some(words.join(". "))
}

/// The owner of the key, and the warning if lists may be shortened.
pub type Owner = (String, Option<String>);

/// Looks up the owner; none if that fails, which is told. `insists`: whether failures are retried, as for a page.
pub async fn owner(client: &Client, organization: &Organization, insists: bool) -> Option<Owner> {
    let log = if insists { log::warn } else { log::debug };
    let untold = |error: &Error| log(format!("cannot tell whether lists may be shortened: {error}"));
    shortened(client, organization, insists).await.inspect_err(untold).ok()
}

/// That lists may be shortened can be detected like this: the key's own record names its owner, and no binding of the
/// owner to the organization is OrganizationAdmin. Several services return a short list with status 200 if a key has
/// too few permissions. An identity pool has roles of its own and no owner.
///
/// # Errors
/// If this cannot be determined.
async fn shortened(client: &Client, organization: &Organization, insists: bool) -> Result<Owner, Error> {
    let on_wait = insists.then_some(&tell);
    let (kind, id) = client.config.identity();
    let (mut owner, mut whose) = (id.to_owned(), "");
    if client.config.api_key.is_some() {
        let key = client.record(&format!("{API_KEY}{id}"), ADMIN, on_wait).await?;
        let key: Value = serde_json::from_slice(&key)
            .map_err(|_| Error::broken("the record of the API key is not JSON"))?;
        let id =
            key["spec"]["owner"]["id"].as_str().ok_or_else(|| Error::broken("the API key names no owner"))?;
        (owner, whose) = (id.to_owned(), "owner of the ");
    } else {
        log::info(format!("no owner is looked up, because the {kind} {id} has roles of its own"));
    }
    let principal = format!("User:{owner}");
    let owner = client.auth.withhold(owner.chars().take(LONGEST_ID).collect());
    let query = vec![("crn_pattern", organization.scope()?.to_owned()), ("principal", principal.clone())];
    let whole = Partition { path: ROLE_BINDINGS.path.to_owned(), query, ..Partition::default() };
    let mut bindings = Listing::new(&ROLE_BINDINGS, &whole, None);
    let shortened = format!(
        "The {whose}{kind} ({owner}) does not seem to be {ADMIN}: lists may be shortened silently to what it can see \
         (not verified)"
    );
    for _ in 0..MOST_PAGES {
        let page = bindings.page(client, on_wait).await?;
        let is_admin = page.records().any(|binding| {
            let text = |name| binding.at(&[name]).and_then(|field| field.string());
            // Rows that do not name another principal belong to the requested one.
            text("role_name") == Some(ADMIN.into())
                && text("principal").is_none_or(|other| other == principal)
        });
        if is_admin || page.next.is_none() {
            return Ok((owner, (!is_admin).then_some(shortened)));
        }
    }
    Err(Error::broken("the owner of the API key has too many roles to look through"))
}
