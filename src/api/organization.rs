//! Which organization a key belongs to.

use std::collections::BTreeSet;

use ring::digest;

use super::client::Client;
use super::listing::{Row, Rows};
use super::pace::Wait;
use crate::crn;
use crate::error::{Error, Kind};
use crate::log;
use crate::partition::Partition;
use crate::state::Access;
use crate::streams::{BILLING_ADMIN, ENVIRONMENTS, ORGANIZATIONS, find};

/// The organization that the key belongs to; none if it could not be looked up and is not set.
#[derive(Default)]
pub struct Organization(Option<Row>);

/// Reads organizations out of the rows of a listing.
type Reader = fn(&[Row]) -> Vec<Row>;

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
        self.0.as_ref().and_then(|row| row.crn.as_deref()).ok_or_else(|| Error::new(Kind::Denied, unknown))
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
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Organization, Error> {
        let config = &client.config;
        let wanted = config.organization_id.as_deref();
        let streams = config.offered.streams.iter().filter_map(|name| find(name));
        let mut streams = streams.filter(|stream| !stream.is_history());
        let is_wanted = wanted.is_some() && !streams.all(|stream| stream.role == BILLING_ADMIN);
        let mut unseen = [""; 2];
        let looks: [(_, Reader); 2] = [(&ORGANIZATIONS, themselves), (&ENVIRONMENTS, named_by)];
        for ((stream, read), unseen) in looks.into_iter().zip(&mut unseen) {
            let whole = Partition { path: stream.path.to_owned(), ..Partition::default() };
            *unseen = match rows.list(client, stream, &whole, on_wait).await {
                Ok(listed) => {
                    let found = read(&listed.rows);
                    if is_wanted || !found.is_empty() {
                        return choose(found, wanted, config.identity().0);
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
        log::warn(match wanted {
            Some(wanted) => format!(
                "organization {wanted} is not verified: the listing of organizations {organizations}, \
                 that of environments {environments}"
            ),
            None => format!(
                "the organization could not be looked up: the listing of organizations {organizations}, \
                 that of environments {environments}. organization_id stays null; set it to read role bindings"
            ),
        });
        Ok(Organization(wanted.map(|id| organization(id.to_owned()))))
    }

    /// The key or the pool, and the organization that it belongs to, for reading positions.
    pub fn access(&self, client: &Client) -> Access {
        let (id, hash) = (self.0.as_ref().map(|row| row.id.clone()), short_hash(client.config.identity().1));
        Access { organization_id: id, api_key_hash: Some(hash) }
    }

    /// In words.
    pub fn words(&self) -> String {
        self.0.as_ref().map_or_else(|| "an organization with an unknown id".to_owned(), words)
    }
}

/// Tells one text from another without showing it.
pub fn short_hash(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The organizations that are listed. A resource name counts only if it names the organization and nothing below it.
fn themselves(rows: &[Row]) -> Vec<Row> {
    let named = |row: &Row| {
        let own = [("organization", Some(row.id.as_str()))];
        let names_it = |crn: &String| crn::split(crn).is_some_and(|(_, segments)| segments.eq(own));
        let crn = row.crn.clone().filter(names_it);
        Row { crn: crn.or_else(|| Some(crn::organization(&row.id))), ..row.clone() }
    };
    rows.iter().map(named).collect()
}

fn organization(id: String) -> Row {
    Row { crn: Some(crn::organization(&id)), name: None, id }
}

/// The organizations that environments are in, each once.
fn named_by(environments: &[Row]) -> Vec<Row> {
    let names = environments.iter().filter_map(|row| row.crn.as_deref());
    let ids: BTreeSet<_> = names.filter_map(|name| crn::segment(name, "organization")).collect();
    ids.into_iter().map(organization).collect()
}

fn choose(found: Vec<Row>, wanted: Option<&str>, reader: &str) -> Result<Organization, Error> {
    let (said, named) = (wanted.unwrap_or_default(), list(&found));
    if wanted.is_none() && found.len() > 1 {
        return Err(Error::config(format!(
            "the {reader} has access to several organizations: {named}. Select one with the setting \
             organization_id"
        )));
    }
    let chosen = found.into_iter().find(|row| wanted.is_none_or(|wanted| row.id == wanted));
    let other = format!(
        "the {reader} belongs to {named}, but the setting organization_id is {said}: correct one of them"
    );
    chosen.map(|row| Organization(Some(row))).ok_or_else(|| Error::new(Kind::Denied, other))
}

fn list(organizations: &[Row]) -> String {
    let names: Vec<_> = organizations.iter().take(MOST_NAMED).map(words).collect();
    match organizations.len() {
        0 => "no organization that it can see".to_owned(),
        count if count > MOST_NAMED => format!("{} and {} more", names.join(", "), count - MOST_NAMED),
        _ => names.join(", "),
    }
}

fn words(row: &Row) -> String {
    let id = &row.id;
    row.name.as_ref().map_or_else(|| format!("organization {id}"), |name| format!("{name:?} ({id})"))
}
