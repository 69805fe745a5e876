//! Which organization a key belongs to, and what environments it has.

use std::collections::HashSet;
use std::rc::Rc;

use ring::digest;
use serde::Deserialize;
use serde_json::Value;

use super::page::Page;
use super::{BETRAYS, Client, Listing, MOST_EMPTY_PAGES, Wait};
use crate::crn;
use crate::error::{Answer, Error, Kind};
use crate::log;
use crate::secret::is_name;
use crate::state::Access;

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
        let unknown = "the organization's id is needed and could not be looked up: set organization_id, or give the \
                       owner of the API key a role that may list organizations";
        self.crn.as_deref().ok_or_else(|| Error::new(Kind::Denied, unknown))
    }
}

/// The few fields of an organization or an environment that matter here.
pub struct Row {
    id: String,
    name: Option<String>,
    crn: Option<String>,
}

impl Row {
    /// What of it may be told.
    fn texts(&self) -> impl Iterator<Item = &str> {
        [Some(&self.id), self.name.as_ref(), self.crn.as_ref()].into_iter().flatten().map(String::as_str)
    }
}

/// The weakest role known to list organizations and environments.
pub const ROLE: &str = "Operator";

const ORGANIZATIONS: &str = "/org/v2/organizations";
const ENVIRONMENTS: &str = "/org/v2/environments";

/// Pages and rows of a look-up: its rows are all kept. Organizations with thousands of environments are not
/// known.
const MOST_PAGES: usize = 1_000;
const MOST_ROWS: usize = 100_000;

/// Characters of an id (Confluent's API reference), and more than any recorded name of a scope has.
const LONGEST_ID: usize = 255;
const LONGEST_CRN: usize = 512;

/// Organizations that are named in one error.
const MOST_NAMED: usize = 5;

impl Client {
    /// Looks up the organization; `wanted`, the setting `organization_id`, selects and guards.
    ///
    /// Where the key may not list organizations, the resource names of its environments tell. Where both
    /// are refused, what is wanted is believed, with a warning.
    ///
    /// # Errors
    /// Denied, if an answer came that does not name the wanted organization; Config, if the key belongs to
    /// several and none is wanted; else as `Client::page`.
    pub async fn organization(
        &self,
        wanted: Option<&str>,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Organization, Error> {
        let organizations = hidden(self.rows(ORGANIZATIONS, on_wait).await)?;
        let empty = match &organizations {
            Ok(rows) if wanted.is_some() || !rows.is_empty() => {
                return choose(rows.iter().map(Organization::from).collect(), wanted);
            }
            Ok(_) => "is empty".to_owned(),
            Err(why) => why.clone(),
        };
        let why = match hidden(self.environment_rows(false, on_wait).await)? {
            Ok(rows) => {
                let found = organizations_of(&rows);
                if wanted.is_some() || !found.is_empty() {
                    return choose(found, wanted);
                }
                if rows.is_empty() { "is empty".to_owned() } else { "names none".to_owned() }
            }
            Err(why) => why,
        };
        log::warn(match wanted.map(told) {
            Some(wanted) => format!(
                "organization {wanted} is not verified: the listing of organizations {empty}, that of environments \
                 {why}"
            ),
            None => format!(
                "the organization could not be looked up: the listing of organizations {empty}, that of environments \
                 {why}. organization_id stays null; set it to read role bindings"
            ),
        });
        Ok(Organization { id: wanted.map(str::to_owned), name: None, crn: wanted.map(crn::organization) })
    }

    /// Ids of all environments, in ascending order. They are listed once a run, and `anew` where a pass is
    /// restarted.
    ///
    /// # Errors
    /// As `Client::page`.
    pub async fn environments(&self, anew: bool, on_wait: &impl AsyncFn(Wait)) -> Result<Vec<String>, Error> {
        let rows = self.environment_rows(anew, on_wait).await?;
        let mut ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// What positions are read with: the key, and the organization that it turned out to belong to.
    pub fn access(&self, organization: &Organization) -> Access {
        let hash = digest::digest(&digest::SHA256, self.key().as_bytes());
        let hash = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Access { organization_id: organization.id.clone(), api_key_hash: Some(hash) }
    }

    /// Whoever asks while they are being listed waits for that listing.
    async fn environment_rows(&self, anew: bool, on_wait: &impl AsyncFn(Wait)) -> Result<Rc<[Row]>, Error> {
        let mut listed = self.environments.lock().await;
        match &*listed {
            Some(rows) if !anew => Ok(rows.clone()),
            _ => Ok(listed.insert(self.rows(ENVIRONMENTS, on_wait).await?.into()).clone()),
        }
    }

    async fn rows(&self, path: &str, on_wait: &impl AsyncFn(Wait)) -> Result<Vec<Row>, Error> {
        let listing = Listing { path, page_size: 100, filters: Vec::new(), role: ROLE };
        let (mut rows, mut seen, mut token, mut restarted) = (Vec::new(), HashSet::new(), None, false);
        let (mut pages, mut empty) = (0, 0);
        loop {
            let page = match self.page(&listing, token.as_deref(), on_wait).await {
                Err(error) if error.refuses_token() && token.is_some() && !restarted => {
                    log::warn(format!("{path}: its page token is refused; reading it once more: {error}"));
                    restarted = true;
                    rows.clear();
                    seen.clear();
                    token = None;
                    continue;
                }
                page => page?,
            };
            let before = rows.len();
            for record in page.records() {
                let row = row(record).ok_or_else(|| broken(path, &page, "lists something without an id"))?;
                if row.texts().any(|text| self.betrays(text)) {
                    return Err(broken(path, &page, &format!("names something that {BETRAYS}")));
                }
                rows.push(row);
            }
            pages += 1;
            empty = if rows.len() == before { empty + 1 } else { 0 };
            let Some(next) = page.next.clone() else { return Ok(rows) };
            let too_much = match () {
                () if empty >= MOST_EMPTY_PAGES => format!("brings {MOST_EMPTY_PAGES} empty pages in a row"),
                () if pages >= MOST_PAGES => format!("has more than {MOST_PAGES} pages"),
                () if rows.len() > MOST_ROWS => format!("has more than {MOST_ROWS} rows"),
                () if !seen.insert(next.clone()) => "gives the same page token twice".to_owned(),
                () => {
                    token = Some(next);
                    continue;
                }
            };
            return Err(broken(path, &page, &too_much));
        }
    }
}

/// Tells what cannot be seen, in words, from what went wrong.
fn hidden<T>(rows: Result<T, Error>) -> Result<Result<T, String>, Error> {
    match rows {
        Ok(rows) => Ok(Ok(rows)),
        Err(error) if error.is_hidden() => {
            log::debug(error.to_string());
            let why = if error.status() == Some(404) { "is not found (404)" } else { "is refused (403)" };
            Ok(Err(why.to_owned()))
        }
        Err(error) => Err(error),
    }
}

fn broken(path: &str, page: &Page, what: &str) -> Error {
    let request_id = page.request_id.clone();
    let answer = Answer { path: path.to_owned(), status: Some(200), request_id, ..Answer::default() };
    Error { answer: Some(Box::new(answer)), ..Error::broken(format!("the listing {what}")) }
}

/// The few fields of a record that matter here, each no longer than it may be; none without an id.
fn row(record: &str) -> Option<Row> {
    #[derive(Deserialize)]
    struct Record {
        id: String,
        #[serde(default)]
        display_name: Value,
        #[serde(default)]
        metadata: Value,
    }
    let record: Record = serde_json::from_str(record).ok()?;
    let (Record { id, display_name, metadata }, within) =
        (record, |text: &&str, most| text.chars().nth(most).is_none());
    let is_id = !id.is_empty() && within(&id.as_str(), LONGEST_ID);
    let name = display_name.as_str().map(|name| name.chars().take(LONGEST_ID).collect());
    let crn = metadata["resource_name"].as_str().filter(|crn| within(crn, LONGEST_CRN)).map(str::to_owned);
    is_id.then_some(Row { id, name, crn })
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

/// The organizations that environments say to be in, each once.
fn organizations_of(environments: &[Row]) -> Vec<Organization> {
    let names = environments.iter().filter_map(|row| row.crn.as_deref());
    let mut ids: Vec<_> = names.filter_map(|name| crn::segment(name, "organization")).collect();
    ids.sort();
    ids.dedup();
    ids.into_iter()
        .map(|id| Organization { crn: Some(crn::organization(&id)), id: Some(id), name: None })
        .collect()
}

fn choose(mut found: Vec<Organization>, wanted: Option<&str>) -> Result<Organization, Error> {
    // A row that moves while it is paged comes twice.
    let mut ids = HashSet::new();
    found.retain(|organization| ids.insert(organization.id.clone()));
    let said = told(wanted.unwrap_or_default());
    let named = list(&found);
    let fits = |organization: &Organization| wanted.is_none() || organization.id.as_deref() == wanted;
    let count = found.len();
    let chosen = found.into_iter().find(fits);
    match (chosen, wanted) {
        (Some(_), None) if count > 1 => Err(Error::config(format!(
            "the API key sees several organizations: {named}. Choose one with the setting organization_id"
        ))),
        (Some(organization), _) => Ok(organization),
        (None, _) => Err(Error::new(
            Kind::Denied,
            format!(
                "the API key belongs to {named}, and the setting organization_id says {said}: correct one of them"
            ),
        )),
    }
}

/// The id of the settings, as it may be told: it may have been pasted from elsewhere, and an id is a UUID.
fn told(wanted: &str) -> &str {
    if is_name(wanted) { wanted } else { "(too long for an id, and not shown)" }
}

fn list(organizations: &[Organization]) -> String {
    let names: Vec<_> = organizations.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    match organizations.len() {
        0 => "no organization that it may see".to_owned(),
        count if count > MOST_NAMED => format!("{} and {} more", names.join(", "), count - MOST_NAMED),
        _ => names.join(", "),
    }
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
