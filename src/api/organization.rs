//! Which organization a key belongs to, and what environments it has.

use serde::Deserialize;
use serde_json::Value;

use super::page::Page;
use super::{Client, Listing, Wait};
use crate::crn;
use crate::error::{Error, Kind};
use crate::log;

/// The organization that the key belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organization {
    /// None if it could not be looked up and is not set.
    pub id: Option<String>,
    pub name: Option<String>,
    /// Its Confluent Resource Name.
    pub crn: Option<String>,
}

impl Organization {
    /// Its Confluent Resource Name, which listings of role bindings must be narrowed to.
    ///
    /// # Errors
    /// Denied, if it is not known.
    pub fn scope(&self) -> Result<&str, Error> {
        self.crn.as_deref().ok_or_else(|| {
            Error::new(
                Kind::Denied,
                "the organization's id is needed and could not be looked up: set organization_id, or give the \
                 owner of the API key a role that may list organizations",
            )
        })
    }
}

/// The few fields of an organization or an environment that matter here.
#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    display_name: Value,
    #[serde(default)]
    metadata: Value,
}

impl Row {
    fn crn(&self) -> Option<&str> {
        self.metadata["resource_name"].as_str()
    }
}

const ORGANIZATIONS: &str = "/org/v2/organizations";
const ENVIRONMENTS: &str = "/org/v2/environments";

impl Client {
    /// Looks up the organization; `wanted`, the setting `organization_id`, selects and guards.
    ///
    /// Where the key may not list organizations, the first environment's resource name tells. Where both
    /// are refused, what is wanted is believed, with a warning.
    ///
    /// # Errors
    /// Config, if the key belongs to another organization than wanted, or to several and none is wanted;
    /// else as `Client::page`.
    pub async fn organization(
        &self,
        wanted: Option<&str>,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Organization, Error> {
        let found = match self.rows(ORGANIZATIONS, on_wait).await {
            Ok(rows) if !rows.is_empty() => rows.into_iter().map(Organization::from).collect(),
            Ok(_) => self.organization_of_environments(on_wait).await?,
            Err(error) if error.is_hidden() => {
                log::debug(format!("the organization cannot be listed: {error}"));
                self.organization_of_environments(on_wait).await?
            }
            Err(error) => return Err(error),
        };
        choose(found, wanted)
    }

    /// Ids of all environments, in ascending order.
    ///
    /// # Errors
    /// Denied, if there are none: every organization has one. Else as `Client::page`.
    pub async fn environments(&self, on_wait: &impl AsyncFn(Wait)) -> Result<Vec<String>, Error> {
        let mut ids: Vec<_> = self.rows(ENVIRONMENTS, on_wait).await?.into_iter().map(|row| row.id).collect();
        ids.sort();
        if ids.is_empty() {
            let words = "no environment is listed, although every organization has one: the owner of the API key \
                         may not see them; the role Operator does (not verified)";
            return Err(Error::new(Kind::Denied, words));
        }
        Ok(ids)
    }

    async fn organization_of_environments(
        &self,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Vec<Organization>, Error> {
        let rows = match self.rows(ENVIRONMENTS, on_wait).await {
            Ok(rows) => rows,
            Err(error) if error.is_hidden() => {
                log::debug(format!("environments cannot be listed: {error}"));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let names = rows.iter().filter_map(Row::crn);
        let id = names.filter_map(|name| crn::segment(name, "organization")).next();
        Ok(id
            .map(|id| Organization { crn: Some(crn::organization(&id)), id: Some(id), name: None })
            .into_iter()
            .collect())
    }

    async fn rows(&self, path: &str, on_wait: &impl AsyncFn(Wait)) -> Result<Vec<Row>, Error> {
        let listing = Listing { path, page_size: 100, filters: Vec::new(), role: "Operator" };
        let (mut rows, mut seen, mut restarted) = (Vec::new(), Vec::<String>::new(), false);
        loop {
            let page = match self.page(&listing, seen.last().map(String::as_str), on_wait).await {
                Err(error) if error.refuses_token() && !seen.is_empty() && !restarted => {
                    log::warn(format!("{path}: its page token is refused; reading it once more: {error}"));
                    restarted = true;
                    rows.clear();
                    seen.clear();
                    continue;
                }
                page => page?,
            };
            rows.extend(parse(path, &page)?);
            match page.next {
                None => return Ok(rows),
                Some(token) if seen.contains(&token) => {
                    return Err(Error::broken(format!("{path} gives the same page token twice")));
                }
                Some(token) => seen.push(token),
            }
        }
    }
}

fn parse(path: &str, page: &Page) -> Result<Vec<Row>, Error> {
    let rows = page.records().map(serde_json::from_str);
    let rows =
        rows.collect::<Result<Vec<Row>, _>>().ok().filter(|rows| rows.iter().all(|row| !row.id.is_empty()));
    rows.ok_or_else(|| Error::broken(format!("{path} lists something without an id")))
}

impl From<Row> for Organization {
    fn from(row: Row) -> Organization {
        let crn = row.crn().filter(|crn| crn::segment(crn, "organization").is_some_and(|id| id == row.id));
        Organization {
            crn: Some(crn.map_or_else(|| crn::organization(&row.id), str::to_owned)),
            name: row.display_name.as_str().map(str::to_owned),
            id: Some(row.id),
        }
    }
}

fn choose(found: Vec<Organization>, wanted: Option<&str>) -> Result<Organization, Error> {
    let Some(wanted) = wanted else {
        return match found.len() {
            0 => {
                log::warn(
                    "the organization could not be looked up: its listing and that of its environments are both \
                     refused. organization_id stays null; set it to read role bindings",
                );
                Ok(Organization::default())
            }
            1 => Ok(found.into_iter().next().unwrap_or_default()),
            _ => Err(Error::config(format!(
                "the API key sees several organizations: {}. Choose one with the setting organization_id",
                list(&found)
            ))),
        };
    };
    if found.is_empty() {
        log::warn(format!(
            "organization {wanted} is not verified: the key may list neither its organization nor its environments"
        ));
        let crn = Some(crn::organization(wanted));
        return Ok(Organization { id: Some(wanted.to_owned()), name: None, crn });
    }
    match found.iter().find(|organization| organization.id.as_deref() == Some(wanted)) {
        Some(organization) => Ok(organization.clone()),
        None => Err(Error::new(
            Kind::Config,
            format!(
                "the API key belongs to {}, and the setting organization_id says {wanted}: correct one of them",
                list(&found)
            ),
        )),
    }
}

fn list(organizations: &[Organization]) -> String {
    organizations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Organization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.name, &self.id) {
            (Some(name), Some(id)) => write!(f, "{name:?} ({id})"),
            (_, Some(id)) => write!(f, "organization {id}"),
            (_, None) => f.write_str("an organization whose id is not known"),
        }
    }
}
