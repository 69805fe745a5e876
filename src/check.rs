//! Can this key read what is configured, and if not, what is missing: the organization is looked up, then
//! each stream is asked for one record, side by side.

use std::rc::Rc;

use serde_json::Value;
use tokio::task::{JoinSet, LocalSet};

use crate::api::organization::Organization;
use crate::api::{Client, Listing, Wait, page};
use crate::error::Error;
use crate::log;
use crate::streams::{Scope, Stream};

/// The role that reads everything.
const ADMIN: &str = "OrganizationAdmin";

/// Checks that each stream answers. Gives the organization, and words if lists may be shortened.
///
/// # Errors
/// Of the organization's look-up, or one that names every stream that cannot be read and why.
pub async fn check(
    client: Rc<Client>,
    wanted: Option<&str>,
    streams: &[&'static Stream],
) -> Result<(Organization, Option<String>), Error> {
    let organization = client.organization(wanted, &tell).await?;
    let (mut tasks, tasks_of_one_thread) = (JoinSet::new(), LocalSet::new());
    for (number, stream) in streams.iter().copied().enumerate() {
        let (client, organization) = (client.clone(), organization.clone());
        let asked = async move { (number, stream, ask(&client, stream, &organization).await) };
        tasks.spawn_local_on(asked, &tasks_of_one_thread);
    }
    let mut answers = tasks_of_one_thread.run_until(tasks.join_all()).await;
    answers.sort_by_key(|(number, ..)| *number);
    let shortened = shortened(&client, &organization).await;
    let refused = answers.into_iter().filter_map(|(_, stream, answer)| Some((stream, answer.err()?)));
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() {
        return Ok((organization, shortened));
    }
    let mut words = vec![format!("{} of {} streams cannot be read", refused.len(), streams.len())];
    words.extend(refused.iter().map(|(stream, error)| format!("{}: {error}", stream.name)));
    words.extend(shortened);
    Err(Error::config(words.join(". ")))
}

async fn ask(client: &Client, stream: &Stream, organization: &Organization) -> Result<(), Error> {
    let filters = match stream.scope {
        Scope::Everything => Vec::new(),
        Scope::Organization { crn_parameter } => vec![(crn_parameter, organization.scope()?.to_owned())],
        Scope::EachEnvironment { parameter, .. } => {
            let first = client.environments(&tell).await?.into_iter().next();
            first.map(|environment| (parameter, environment)).into_iter().collect()
        }
    };
    let listing = Listing { path: stream.path, page_size: 1, filters, role: stream.role };
    client.page(&listing, None, &tell).await.map(|_| ())
}

/// Tells people of a wait.
pub async fn tell(wait: Wait) {
    let why = if wait.rate_limited { "rate limited" } else { "the service failed to answer" };
    log::info(format!("{why}, waiting {:.1} s before asking again", wait.duration.as_secs_f64()));
}

/// Words to the effect that lists may be shortened, where it can be told: the key's own record names its
/// owner, and no binding of the owner at the organization is OrganizationAdmin. Several services answer a
/// weak key with a short list and status 200. A look-up that fails tells nothing, and is not tried again.
pub async fn shortened(client: &Client, organization: &Organization) -> Option<String> {
    let noted = |error: Error| log::debug(format!("whether lists may be shortened cannot be told: {error}"));
    let path = format!("/iam/v2/api-keys/{}", client.key());
    let key = Listing { path: &path, page_size: 1, filters: Vec::new(), role: ADMIN };
    let key: Value = serde_json::from_slice(&client.glance(&key).await.map_err(noted).ok()?).ok()?;
    let owner = key["spec"]["owner"]["id"].as_str()?;
    let filters = vec![("crn_pattern", organization.crn.clone()?), ("principal", format!("User:{owner}"))];
    let bindings = Listing { path: "/iam/v2/role-bindings", page_size: 100, filters, role: ADMIN };
    let page = page::read(client.glance(&bindings).await.map_err(noted).ok()?).ok()?;
    let roles = page.records().filter_map(|record| serde_json::from_str::<Value>(record).ok());
    // A principal holds a handful of roles at the organization: more than a page of them tells nothing.
    if page.next.is_some() || roles.into_iter().any(|binding| binding["role_name"] == ADMIN) {
        return None;
    }
    Some(format!(
        "The owner of the API key ({owner}) seems not to be {ADMIN}: lists may be shortened to what the owner \
         may see, without a word from the service (not verified)"
    ))
}
