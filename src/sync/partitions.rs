//! The listings of a stream, and their order. Only this module knows the kinds of partitions; its callers get one
//! after another, as data.
//!
//! It is disputed what the service returns for the bare name of a scope. The bare name is requested first, and then
//! `/*`, unless a record of a narrower scope has come, which proves that the bare listing is complete.

use std::rc::Rc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::days::{self, Days};
use super::plan::Plan;
use super::sample::Sample;
use super::teller::Teller;
use crate::api::listing::Listed;
use crate::crn;
use crate::error::{Error, Kind};
use crate::log;
use crate::partition::Partition;
use crate::streams::{Parent, Partitions, Stream, find};

/// Characters of an id that stand for themselves in paths and names.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The name of the organization's own scope.
const ORGANIZATION: &str = "organization";

/// The next partition; none at the end.
type Next = Result<Option<Partition>, Error>;

/// Iterates over the partitions of one stream. A parent is listed only when its rows are needed.
pub struct Walk {
    plan: Rc<Plan>,
    stream: &'static Stream,
    teller: Rc<Teller>,
    /// The query parameter that takes a scope, if the stream is listed by scopes.
    scope: Option<&'static str>,
    /// The windows of dates, if the stream is listed by those.
    days: Option<Days>,
    /// Parents, outermost first, whose rows make partitions; of a stream listed by scopes, only in the end.
    parents: Vec<&'static Parent>,
    /// Listings that were denied, and why.
    refused: Vec<(String, Error)>,
    /// Why the pass cannot be complete, although it continues.
    incomplete: Option<Error>,
    /// Whether a sample has come to the last of its requests among the parents.
    pub is_cut: bool,
}

impl Walk {
    pub fn new(plan: &Rc<Plan>, stream: &'static Stream, teller: &Rc<Teller>) -> Walk {
        let (scope, parent, days) = match &stream.partitions {
            Partitions::One => (None, None, None),
            Partitions::Scopes { parameter, fallback } => (Some(*parameter), Some(fallback), None),
            Partitions::Each(parent) => (None, Some(parent), None),
            Partitions::Days { from, until } => (None, None, Some(Days::new(stream, [from, until], plan))),
        };
        let above = parent.and_then(|parent| find(parent.stream));
        let mut parents = above.map_or(Vec::new(), |above| Walk::new(plan, above, teller).parents);
        parents.extend(parent);
        let (plan, teller, refused, incomplete) = (plan.clone(), teller.clone(), Vec::new(), None);
        Walk { plan, stream, teller, scope, days, parents, refused, incomplete, is_cut: false }
    }

    /// The first partition of a new pass; none if there is no listing at all.
    ///
    /// # Errors
    /// As `Rows::list`, if a parent cannot be listed; Denied, if the organization is needed and not known, or a
    /// parent is empty that cannot be.
    pub async fn first(&mut self) -> Next {
        self.refused.clear();
        self.incomplete = None;
        match &mut self.days {
            Some(days) => Ok(days.first(None)),
            None if self.scope.is_some() => self.at(&[], "").map(Some),
            None => self.below(Vec::new(), None).await,
        }
    }

    /// Makes this run list the parents again.
    pub fn forget(&self) {
        if self.scope.is_none() || self.incomplete.is_some() {
            self.parents.iter().for_each(|parent| self.plan.rows.forget(parent.stream));
        }
    }

    /// The partition that a bookmark names, or that there is none behind the last one so far; none if it no longer exists.
    ///
    /// # Errors
    /// As `first`.
    pub async fn named(&mut self, name: Option<&str>) -> Result<Option<Option<Partition>>, Error> {
        if let Some(days) = &mut self.days {
            return Ok(name.and_then(days::parse).map(|day| days.first(Some(day))));
        }
        let (ids, suffix) = self.parse(name.unwrap_or_default());
        let is_whole = self.scope.is_some() && ids.is_empty();
        let partition = self.at(&ids, suffix)?;
        if partition.name.as_deref() != name || !(is_whole || ids.len() == self.parents.len()) {
            return Ok(None);
        }
        for (level, id) in ids.iter().enumerate() {
            let parent = self.rows(&ids[..level]).await?;
            if !parent.rows.iter().any(|row| row.id == *id) {
                return Ok(None);
            }
        }
        if self.scope.is_some() && !is_whole {
            self.incomplete = Some(whole_refused());
        }
        Ok(Some(Some(partition)))
    }

    /// The partition after one that has been read, or refused; none at the end. It is found by the order of ids, not by
    /// a number, so that a listing which has changed meanwhile leads on.
    ///
    /// # Errors
    /// As `first`.
    pub async fn next(&mut self, after: &Partition) -> Next {
        if let Some(days) = &self.days {
            return Ok(days.after(after));
        }
        let mut ids: Vec<_> = after.columns.iter().map(|(_, id)| id.clone()).collect();
        if after.inclusive.is_some() {
            return self.at(&ids, "/*").map(Some);
        }
        let Some(last) = ids.pop() else { return Ok(None) };
        self.below(ids, Some(last)).await
    }

    /// How to continue after a denied listing: below a parent, with the others; of all that is in the organization, with
    /// narrower ones. Either way the stream fails in the end.
    ///
    /// # Errors
    /// The error itself, if the stream cannot continue.
    pub async fn refused(&mut self, listing: &Partition, mut error: Error) -> Next {
        match listing.columns.is_empty() {
            false if error.is_hidden() => {
                self.pass_over(listing.name.clone().unwrap_or_default(), error);
                self.next(&Partition { inclusive: None, ..listing.clone() }).await
            }
            true if listing.repeats && error.status() == Some(403) => {
                log::warn(format!("{}: reading each environment separately: {error}", self.stream.name));
                let first = match self.below(Vec::new(), None).await {
                    Err(also) if also.is_hidden() => return Err(error),
                    first => first?,
                };
                self.incomplete = Some(Error { answer: error.answer.take(), ..whole_refused() });
                Ok(first)
            }
            _ => Err(error),
        }
    }

    fn pass_over(&mut self, partition: String, mut error: Error) {
        if error.status() == Some(404) {
            error.kind = Kind::Denied;
            "its contents are hidden from the owner of the API key or the identity pool, or base_url is wrong"
                .clone_into(&mut error.message);
        }
        log::warn(format!("{}: {partition} is denied; continuing with the next: {error}", self.stream.name));
        self.refused.push((partition, error));
    }

    /// Whether the pass has left something out, so that no later run may go on behind the gap.
    pub fn has_gap(&self) -> bool {
        !self.refused.is_empty() && self.incomplete.is_none()
    }

    /// Name of the partition that the next run begins with, if that follows from where this one ends.
    pub fn next_run(&self) -> Option<String> {
        self.days.as_ref().map(|days| days.next_run().to_string())
    }

    /// Why the pass is incomplete although it has ended.
    pub fn missing(&self) -> Option<Error> {
        self.incomplete.clone().or_else(|| all_refused(&self.refused))
    }

    /// The ids in the name of a partition, outermost first, and how the scope in it is listed. The name is one of ours only
    /// if `at` makes the same of them.
    fn parse<'a>(&self, name: &'a str) -> (Vec<String>, &'a str) {
        let start = ["/*", "+"].into_iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let ids = if self.scope.is_some() && start == ORGANIZATION { "" } else { start };
        let decode = |id: &str| percent_decode_str(id).decode_utf8_lossy().into_owned();
        (ids.split('/').filter(|id| !id.is_empty()).map(decode).collect(), &name[start.len()..])
    }

    /// The listing below the rows with these ids. `suffix`: how its scope is listed, if it is.
    fn at(&self, ids: &[String], suffix: &str) -> Result<Partition, Error> {
        let encoded: Vec<_> = ids.iter().map(|id| utf8_percent_encode(id, PLAIN).to_string()).collect();
        let name = encoded.join("/");
        let mut listing = Partition { path: self.stream.path.to_owned(), ..Partition::default() };
        for ((parent, id), encoded) in self.parents.iter().zip(ids).zip(&encoded) {
            listing.path = listing.path.replace(&format!("{{{}}}", parent.column), encoded);
            listing.columns.push((parent.column, id.clone()));
        }
        if let Some((parent, id)) = self.parents.last().zip(ids.last()) {
            listing.query.extend(parent.parameter.map(|parameter| (parameter, id.clone())));
            listing.echo = (!parent.echo.is_empty()).then(|| (parent.echo, id.clone()));
        }
        listing.name = if let Some(parameter) = self.scope {
            let organization = self.plan.organization.scope()?;
            let crn = ids.first().map_or(organization.to_owned(), |id| crn::environment(organization, id));
            let name = if name.is_empty() { ORGANIZATION } else { &name };
            listing.repeats = suffix == "/*";
            listing.query.push((parameter, if listing.repeats { format!("{crn}/*") } else { crn }));
            listing.inclusive = suffix.is_empty().then(|| format!("{name}+"));
            Some(format!("{name}{suffix}"))
        } else {
            (!name.is_empty()).then_some(name)
        };
        Ok(listing)
    }

    /// The first partition below the rows with these ids, behind the id `after` if there is one.
    async fn below(&mut self, mut ids: Vec<String>, mut after: Option<String>) -> Next {
        while ids.len() < self.parents.len() {
            let rows = &self.rows(&ids).await?.rows;
            let number = after.take().map_or(0, |after| rows.partition_point(|row| row.id <= after));
            if let Some(row) = rows.get(number) {
                ids.push(row.id.clone());
                continue;
            }
            after = ids.pop();
            if after.is_none() {
                return Ok(None);
            }
        }
        self.at(&ids, "").map(Some)
    }

    /// The rows of the parent below the rows with these ids.
    async fn rows(&mut self, ids: &[String]) -> Result<Rc<Listed>, Error> {
        let parent = self.parents[ids.len()].stream;
        let is_spent =
            self.plan.sample && !ids.is_empty() && !Sample::leaves(self.plan.client.requests.get());
        self.is_cut |= is_spent;
        let Some(stream) = find(parent).filter(|_| !is_spent) else { return Ok(Rc::default()) };
        let partition = Walk::new(&self.plan, stream, &self.teller).at(ids, "")?;
        let on_wait = async |wait| self.teller.tell(wait).await;
        let listed = match self.plan.rows.list(&self.plan.client, stream, &partition, &on_wait).await {
            Err(error) if !ids.is_empty() && error.is_hidden() => {
                self.pass_over(partition.name.unwrap_or_default(), error);
                return Ok(Rc::default());
            }
            Err(mut error) => {
                error.message = format!("its parent {parent} cannot be listed: {}", error.message);
                return Err(error);
            }
            Ok(listed) => listed,
        };
        self.is_cut |= listed.is_cut;
        if stream.never_empty && listed.rows.is_empty() && !listed.is_cut {
            self.accept_empty(stream)?;
        }
        Ok(listed)
    }

    /// Accepts, with a warning, that a stream is empty that cannot be, if the settings allow it: the one that is read, or
    /// a parent of it.
    ///
    /// # Errors
    /// Denied, if they do not.
    pub fn accept_empty(&self, stream: &Stream) -> Result<(), Error> {
        let name = self.stream.name;
        let list =
            if name == stream.name { "its list".into() } else { format!("the list of {}", stream.name) };
        if !self.plan.client.config.empty_lists.fails() {
            log::warn(format!(
                "{name}: {list} is empty, although every organization has at least one record in it; empty_lists: warn"
            ));
            return Ok(());
        }
        let words = format!(
            "{list} is empty, although every organization has at least one record in it: the owner of the API key \
             or the identity pool sees less than there is. The role {} sees everything. If the list is really empty, \
             set empty_lists to warn",
            stream.role
        );
        Err(Error::new(Kind::Denied, words))
    }
}

/// One error for all denied listings: the first one's, with the names of the others.
fn all_refused(refused: &[(String, Error)]) -> Option<Error> {
    const MOST: usize = 5;
    let names: Vec<_> = refused.iter().take(MOST).map(|(name, _)| name.as_str()).collect();
    let (count, names) = (refused.len(), names.join(", "));
    let words = match count {
        1 => format!("{names} is denied"),
        _ if count > MOST => format!("{count} listings are denied, among them {names}"),
        _ => format!("{count} listings are denied: {names}"),
    };
    let mut error = refused.first()?.1.clone();
    error.message = format!("{words}: {}. If it was deleted during this run, run again", error.message);
    Some(error)
}

fn whole_refused() -> Error {
    Error::new(
        Kind::Denied,
        "each environment was read separately, because the listing of the whole organization was denied: \
         bindings to the organization's own resources (identity providers, service accounts, …) may be missing",
    )
}
