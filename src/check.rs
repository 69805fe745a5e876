//! Whether lists may be shortened to what the owner of the key may see, and what a check says in the end.
//!
//! A check itself is a sample of the sync; see `sync`.

use serde_json::Value;

use crate::api::listing::Listing;
use crate::api::organization::Organization;
use crate::api::{Client, Wait};
use crate::error::{Error, Kind};
use crate::log;
use crate::partition::Partition;
use crate::streams::{API_KEY, ROLE_BINDINGS};

/// The role that reads everything.
const ADMIN: &str = ROLE_BINDINGS.role;

/// Pages of the owner's role bindings that are looked at. A principal holds a handful of roles at the
/// organization.
const MOST_PAGES: usize = 5;

/// Tells people of a wait.
pub async fn tell(wait: Wait) {
    log::info(wait.to_string());
}

/// What is missing, in one text; none if every stream can be read.
pub fn verdict(streams: usize, failed: &[(String, Error)], shortened: Option<String>) -> Option<String> {
    if failed.is_empty() {
        return None;
    }
    let mut words = vec![format!("{} of {streams} streams cannot be read", failed.len())];
    words.extend(failed.iter().map(|(stream, error)| format!("{stream}: {error}")));
    words.extend(shortened);
    Some(words.join(". "))
}

/// Words to the effect that lists may be shortened, where it can be told: the key's own record names its
/// owner, and no binding of the owner at the organization is OrganizationAdmin. Several services answer a
/// weak key with a short list and status 200.
///
/// `insists`: whether what fails is tried again, as a page is.
///
/// # Errors
/// If it cannot be told.
pub async fn shortened(
    client: &Client,
    organization: &Organization,
    insists: bool,
) -> Result<Option<String>, Error> {
    let tell = async |wait| {
        if insists {
            tell(wait).await
        }
    };
    let untold = |why: &str| Error::new(Kind::Broken, why);
    let key = format!("{API_KEY}{}", client.key());
    let key = client.record(&key, ADMIN, insists, &tell).await?;
    let key: Value =
        serde_json::from_slice(&key).map_err(|_| untold("the record of the API key is not JSON"))?;
    let owner = key["spec"]["owner"]["id"].as_str().ok_or_else(|| untold("the API key names no owner"))?;
    let principal = format!("User:{owner}");
    let query = vec![("crn_pattern", organization.scope()?.to_owned()), ("principal", principal.clone())];
    let whole = Partition { path: ROLE_BINDINGS.path.to_owned(), query, ..Partition::default() };
    let mut bindings = Listing::new(&ROLE_BINDINGS, &whole, None);
    for _ in 0..MOST_PAGES {
        let page = bindings.page(client, insists, &tell).await?;
        let mut roles = page.records().filter_map(|record| serde_json::from_str::<Value>(record).ok());
        // Whatever is not said to be of somebody else is what was asked for.
        let is_own = |binding: &Value| binding["principal"].as_str().is_none_or(|other| other == principal);
        if roles.any(|binding| binding["role_name"] == ADMIN && is_own(&binding)) {
            return Ok(None);
        }
        if page.next.is_none() {
            return Ok(Some(format!(
                "The owner of the API key ({}) does not seem to be {ADMIN}: lists may be shortened \
                 silently to what the owner can see (not verified)",
                client.quotable(owner.to_owned())
            )));
        }
    }
    Err(untold("the owner of the API key has too many roles to look through"))
}
