//! Which organization a key belongs to.

use std::collections::BTreeSet;

use ring::digest;

use super::client::Client;
use super::listing::{Row, Rows};
use super::wait::Wait;
use crate::config::Config;
use crate::crn;
use crate::error::{Error, Kind};
use crate::log;
use crate::partition::Partition;
use crate::secret::is_name;
use crate::state::Access;
use crate::streams::{BILLING_ADMIN, ENVIRONMENTS, ORGANIZATIONS, find};

/// The organization that the key belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organization {
    /// None if it could not be looked up and is not set.
    pub id: Option<String>,
    pub name: Option<String>,
    /// Its Confluent Resource Name.
    pub crn: Option<String>,
}

/// Reads organizations out of the rows of a listing.
type Reader = fn(&[Row]) -> Vec<Organization>;

/// Organizations that are named in one error.
const MOST_NAMED: usize = 5;

impl Organization {
    /// Its Confluent Resource Name, which listings of role bindings must be narrowed to.
    ///
    /// # Errors
    /// Denied, if it is not known.
    pub fn scope(&self) -> Result<&str, Error> {
        let unknown = "the organization's id is required, but could not be looked up: set organization_id, or \
                       give the owner of the API key, or the identity pool, a role that may list organizations";
        self.crn.as_deref().ok_or_else(|| Error::new(Kind::Denied, unknown))
    }

    /// Looks up the organization; the setting `organization_id`, `wanted` here, selects and guards.
    ///
    /// If the key cannot list organizations, the resource names of its environments are used. If both listings
    /// are denied, `wanted` is accepted with a warning. So it is if they are empty, where the role that all streams
    /// require need not see the organization.
    ///
    /// # Errors
    /// Denied, if a response does not name the wanted organization; Config, if the key belongs to
    /// several and none is wanted; otherwise as [`Client::page`].
    pub async fn look_up(
        client: &Client,
        rows: &Rows,
        config: &Config,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Organization, Error> {
        let wanted = config.organization_id.as_deref();
        let streams = config.offered.streams.iter().filter_map(|name| find(name));
        let mut streams = streams.filter(|stream| !stream.is_history());
        let is_wanted = wanted.is_some() && !streams.all(|stream| stream.role == BILLING_ADMIN);
        let mut unseen = [""; 2];
        let looks: [(_, Reader); 2] = [
            (&ORGANIZATIONS, |rows| rows.iter().map(Organization::from).collect()),
            (&ENVIRONMENTS, named_by),
        ];
        for ((stream, read), unseen) in looks.into_iter().zip(&mut unseen) {
            let whole = Partition { path: stream.path.to_owned(), ..Partition::default() };
            *unseen = match rows.list(client, stream, &whole, on_wait).await {
                Ok(listed) => {
                    let found = read(&listed.rows);
                    if is_wanted || !found.is_empty() {
                        return choose(found, wanted, client.config.identity().0);
                    }
                    if listed.rows.is_empty() { "is empty" } else { "contains none" }
                }
                Err(error) if error.is_hidden() => {
                    log::debug(error.to_string());
                    if error.status() == Some(404) { "is not found (404)" } else { "is denied (403)" }
                }
                Err(error) => return Err(error),
            };
        }
        let [organizations, environments] = unseen;
        log::warn(match wanted.map(told) {
            Some(wanted) => format!(
                "organization {wanted} is not verified: the listing of organizations {organizations}, \
                 that of environments {environments}"
            ),
            None => format!(
                "the organization could not be looked up: the listing of organizations {organizations}, \
                 that of environments {environments}. organization_id stays null; set it to read role bindings"
            ),
        });
        Ok(Organization { id: wanted.map(str::to_owned), name: None, crn: wanted.map(crn::organization) })
    }

    /// The key or the pool, and the organization that it belongs to, for reading positions.
    pub fn access(&self, client: &Client) -> Access {
        let hash = short_hash(client.config.identity().1);
        Access { organization_id: self.id.clone(), api_key_hash: Some(hash) }
    }
}

/// Tells one text from another without showing it.
pub fn short_hash(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl From<&Row> for Organization {
    /// The resource name counts only if it names the organization and nothing below it.
    fn from(row: &Row) -> Organization {
        let names_it = |crn: &&String| {
            let mut segments = crn::split(crn).into_iter().flat_map(|(_, segments)| segments);
            segments.next() == Some(("organization", Some(&row.id))) && segments.next().is_none()
        };
        let crn = row.crn.as_ref().filter(names_it).cloned();
        Organization {
            crn: Some(crn.unwrap_or_else(|| crn::organization(&row.id))),
            name: row.name.clone(),
            id: Some(row.id.clone()),
        }
    }
}

/// The organizations that environments are in, each once.
fn named_by(environments: &[Row]) -> Vec<Organization> {
    let names = environments.iter().filter_map(|row| row.crn.as_deref());
    let ids: BTreeSet<_> = names.filter_map(|name| crn::segment(name, "organization")).collect();
    let named = |id: String| Organization { crn: Some(crn::organization(&id)), id: Some(id), name: None };
    ids.into_iter().map(named).collect()
}

fn choose(found: Vec<Organization>, wanted: Option<&str>, reader: &str) -> Result<Organization, Error> {
    let said = told(wanted.unwrap_or_default());
    let named = list(&found);
    let fits = |organization: &Organization| wanted.is_none() || organization.id.as_deref() == wanted;
    let count = found.len();
    let chosen = found.into_iter().find(fits);
    match (chosen, wanted) {
        (Some(_), None) if count > 1 => Err(Error::config(format!(
            "the {reader} has access to several organizations: {named}. Select one with the setting \
             organization_id"
        ))),
        (Some(organization), _) => Ok(organization),
        (None, _) => Err(Error::new(
            Kind::Denied,
            format!(
                "the {reader} belongs to {named}, but the setting organization_id is {said}: correct one of them"
            ),
        )),
    }
}

/// The id in the settings if it can be shown: it may be a pasted secret, and an id is a UUID.
fn told(wanted: &str) -> &str {
    if is_name(wanted) { wanted } else { "(not shown, because it is too long for an id)" }
}

fn list(organizations: &[Organization]) -> String {
    let names: Vec<_> = organizations.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    match organizations.len() {
        0 => "no organization that it can see".to_owned(),
        count if count > MOST_NAMED => format!("{} and {} more", names.join(", "), count - MOST_NAMED),
        _ => names.join(", "),
    }
}

impl std::fmt::Display for Organization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.name, &self.id) {
            (Some(name), Some(id)) => write!(f, "{name:?} ({id})"),
            (_, Some(id)) => write!(f, "organization {id}"),
            (_, None) => f.write_str("an organization with an unknown id"),
        }
    }
}
