//! The one paginator: it goes through a listing page by page, for streams, for their parents and for look-ups.
//!
//! Bounds what a listing can repeat: its page tokens, and empty pages. Knows neither records nor positions.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::rc::Rc;

use tokio::sync::OnceCell;

use super::client::{BETRAYS, Client};
use super::pace::Wait;
use super::page::Page;
use crate::error::{Answer, Error, Kind};
use crate::json::Json;
use crate::log;
use crate::partition::Partition;
use crate::streams::Stream;

/// Consecutive empty pages with a next link: a service that filters after paging may send some.
const MOST_EMPTY_PAGES: usize = 1_000;

/// Limits for a listing that is kept in memory. Organizations with thousands of environments are not known.
const MOST_PAGES: usize = 1_000;
const MOST_ROWS: usize = 100_000;

/// Maximum length of an id (Confluent's API reference), and a length that exceeds every recorded scope name.
const LONGEST_ID: usize = 255;
const LONGEST_CRN: usize = 512;

/// One listing, and how far it has been read.
pub struct Listing {
    stream: &'static Stream,
    partition: Partition,
    /// Token of the page to request next; none for the first.
    pub token: Option<String>,
    /// Token of the page that came last.
    came: Option<String>,
    /// Hashes of the page tokens so far.
    seen: HashSet<u64>,
    /// Empty pages in a row.
    empty: usize,
}

impl Listing {
    /// `token`: of the page to begin with, if it is not the first.
    pub fn new(stream: &'static Stream, partition: &Partition, token: Option<String>) -> Listing {
        let mut seen = HashSet::new();
        let hash = token.as_ref().map(|token| seen.hasher().hash_one(token));
        seen.extend(hash);
        Listing { stream, partition: partition.clone(), token, came: None, seen, empty: 0 }
    }

    /// Requests the next page.
    ///
    /// # Errors
    /// As `Client::page`; Broken, if the listing repeats a page token or never stops returning empty pages.
    pub async fn page(
        &mut self,
        client: &Client,
        on_wait: Option<&impl AsyncFn(Wait)>,
    ) -> Result<Page, Error> {
        let page = client.page(self.stream, &self.partition, self.token.as_deref(), on_wait).await?;
        self.came = std::mem::replace(&mut self.token, page.next.clone());
        self.empty = if page.records().next().is_none() { self.empty + 1 } else { 0 };
        if let Some(token) = &page.next {
            if !self.seen.insert(self.seen.hasher().hash_one(token)) {
                return Err(self.broken(client, &page, "a repeated page token"));
            }
            if self.empty >= MOST_EMPTY_PAGES {
                let what = format!("no record: {MOST_EMPTY_PAGES} empty pages in a row");
                return Err(self.broken(client, &page, &what));
            }
        }
        Ok(page)
    }

    /// An error that describes what is wrong with the last page.
    pub fn broken(&self, client: &Client, page: &Page, what: &str) -> Error {
        let first = || "the first page".to_owned();
        let which = self.came.as_ref().map_or_else(first, |token| client.token_words(token));
        let place = self.partition.name.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        let what = client.auth.withhold(what.to_owned());
        let (path, request_id) = (self.partition.path.clone(), page.request_id.clone());
        let answer = Answer { path, status: Some(200), request_id, ..Answer::default() };
        Error::answered(Kind::Broken, format!("{which}{place} contains {what}"), answer)
    }
}

/// The relevant fields of a row whose id names a partition, or which names the organization.
#[derive(Clone)]
pub struct Row {
    pub id: String,
    pub name: Option<String>,
    pub crn: Option<String>,
}

/// The rows of one listing.
#[derive(Default)]
pub struct Listed {
    /// In ascending order of their ids.
    pub rows: Vec<Row>,
    /// Whether there are more rows, because the listing was cut.
    pub is_cut: bool,
}

/// Where listings are cut.
#[derive(Clone, Copy)]
pub struct Most {
    /// Of one listing.
    pub pages: usize,
    /// Of the run.
    pub requests: u64,
}

/// A stream, and the name of a partition.
type Key = (&'static str, Option<String>);

/// Rows that have been listed in this run.
#[derive(Default)]
pub struct Rows {
    kept: RefCell<HashMap<Key, Rc<OnceCell<Rc<Listed>>>>>,
    /// Where listings are cut from now on; else they are read to their end.
    pub most: Option<Most>,
}

impl Rows {
    /// The rows of a listing. They are listed once a run, unless they are forgotten;
    /// a concurrent caller waits for that listing.
    ///
    /// # Errors
    /// As [`Listing::page`]; Broken, if the listing is too long or contains a record without an id.
    pub async fn list(
        &self,
        client: &Client,
        stream: &'static Stream,
        partition: &Partition,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Rc<Listed>, Error> {
        let key = (stream.name, partition.name.clone());
        let kept = self.kept.borrow_mut().entry(key).or_default().clone();
        let begin = || (Listing::new(stream, partition, None), BTreeMap::new());
        let list = async || {
            let ((mut listing, mut rows), mut pages, mut restarted) = (begin(), 0, false);
            loop {
                let page = match listing.page(client, Some(on_wait)).await {
                    Err(error) if error.refuses_token() && listing.token.is_some() && !restarted => {
                        let path = &partition.path;
                        log::warn(format!("{path}: its page token was rejected; reading it again: {error}"));
                        restarted = true;
                        (listing, rows) = begin();
                        continue;
                    }
                    page => page?,
                };
                let broken = |what: &str| listing.broken(client, &page, what);
                for record in page.records() {
                    let row = row(client, partition, record).map_err(|what| broken(&what))?;
                    // A row that moves while its pages are read comes twice.
                    rows.entry(row.id.clone()).or_insert(row);
                }
                pages += 1;
                let is_last = |most: Most| pages >= most.pages || client.requests.get() >= most.requests;
                let is_cut = page.next.is_some() && self.most.is_some_and(is_last);
                if is_cut || page.next.is_none() {
                    return Ok(Rc::new(Listed { rows: rows.into_values().collect(), is_cut }));
                }
                if pages >= MOST_PAGES || rows.len() > MOST_ROWS {
                    let most = format!("more than {MOST_PAGES} pages or {MOST_ROWS} rows");
                    return Err(broken(&format!("a next link, although the listing has {most}")));
                }
            }
        };
        kept.get_or_try_init(list).await.cloned()
    }

    /// Makes the next call list the rows of a stream again.
    pub fn forget(&self, stream: &str) {
        self.kept.borrow_mut().retain(|(name, _), _| *name != stream);
    }
}

/// The fields of a record that make a row, each no longer than it may be.
///
/// # Errors
/// In words, if it has no id, is of another listing, or must not be kept.
fn row(client: &Client, partition: &Partition, record: Json<'_>) -> Result<Row, String> {
    let text = |path: &[&str]| record.at(path)?.string();
    let within = |text: &str, most| text.chars().nth(most).is_none();
    // In a path, dots alone lead elsewhere, also if they are percent-encoded.
    let id = text(&["id"]).filter(|id| !["", ".", ".."].contains(&&**id) && within(id, LONGEST_ID));
    let id = id.ok_or("a record without an id")?.into_owned();
    let name = text(&["display_name"]).map(|name| name.chars().take(LONGEST_ID).collect());
    let crn = text(&["metadata", "resource_name"]).filter(|crn| within(crn, LONGEST_CRN));
    let row = Row { id, name, crn: crn.map(Cow::into_owned) };
    partition.disowns(text).map_or(Ok(()), Err)?;
    let texts = [Some(&row.id), row.name.as_ref(), row.crn.as_ref()];
    let is_kept = !texts.into_iter().flatten().any(|text| client.auth.is_in(text));
    is_kept.then_some(row).ok_or_else(|| format!("an id or a name that {BETRAYS}"))
}
