//! The one paginator: it goes through a listing page by page, for streams, for their parents and for look-ups.
//!
//! Bounds what a listing can repeat: its page tokens, and empty pages. Knows neither records nor positions.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use tokio::sync::OnceCell;

use super::client::{BETRAYS, Client, Request};
use super::page::Page;
use super::wait::Wait;
use crate::error::{Answer, Error};
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
    hasher: RandomState,
    /// Empty pages in a row.
    empty: usize,
}

impl Listing {
    /// `token`: of the page to begin with, if it is not the first.
    pub fn new(stream: &'static Stream, partition: &Partition, token: Option<String>) -> Listing {
        let (hasher, partition) = (RandomState::new(), partition.clone());
        let seen = token.iter().map(|token| hasher.hash_one(token)).collect();
        Listing { stream, partition, token, came: None, seen, hasher, empty: 0 }
    }

    /// Requests the next page. `insists`: retry until it comes or a retry is pointless; otherwise try once.
    ///
    /// # Errors
    /// As `Client::page`; Broken, if the listing repeats a page token or never stops returning empty pages.
    pub async fn page(
        &mut self,
        client: &Client,
        insists: bool,
        on_wait: &impl AsyncFn(Wait),
    ) -> Result<Page, Error> {
        let Listing { stream, partition, token, .. } = &*self;
        let request = Request { stream, partition, token: token.as_deref() };
        let page = client.page(&request, insists, on_wait).await?;
        self.came = std::mem::replace(&mut self.token, page.next.clone());
        self.empty = if page.records().next().is_none() { self.empty + 1 } else { 0 };
        if let Some(token) = &page.next {
            if !self.seen.insert(self.hasher.hash_one(token)) {
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
        let mut which = match &self.came {
            Some(token) => client.token_words(token),
            None => "the first page".to_owned(),
        };
        if let Some(name) = &self.partition.name {
            which += &format!(" in {name}");
        }
        let (path, request_id) = (self.partition.path.clone(), page.request_id.clone());
        let answer = Answer { path, status: Some(200), request_id, ..Answer::default() };
        let message = format!("{which} contains {}", client.quotable(what.to_owned()));
        Error { answer: Some(Box::new(answer)), ..Error::broken(message) }
    }
}

/// The relevant fields of a row whose id names a partition, or which names the organization.
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
        kept.get_or_try_init(|| list(client, stream, partition, self.most, on_wait)).await.cloned()
    }

    /// Makes the next call list the rows of a stream again.
    pub fn forget(&self, stream: &str) {
        self.kept.borrow_mut().retain(|(name, _), _| *name != stream);
    }
}

async fn list(
    client: &Client,
    stream: &'static Stream,
    partition: &Partition,
    most: Option<Most>,
    on_wait: &impl AsyncFn(Wait),
) -> Result<Rc<Listed>, Error> {
    let begin = || (Listing::new(stream, partition, None), Vec::new());
    let ((mut listing, mut rows), mut pages, mut restarted) = (begin(), 0, false);
    loop {
        let page = match listing.page(client, true, on_wait).await {
            Err(error) if error.refuses_token() && listing.token.is_some() && !restarted => {
                let path = &partition.path;
                log::warn(format!("{path}: its page token was rejected; reading it again: {error}"));
                restarted = true;
                (listing, rows) = begin();
                continue;
            }
            page => page?,
        };
        for record in page.records() {
            let row = row(record).ok_or_else(|| listing.broken(client, &page, "a record without an id"))?;
            if let Some(foreign) = partition.disowns(|path| record.at(path)?.string()) {
                return Err(listing.broken(client, &page, &foreign));
            }
            let texts = [Some(&row.id), row.name.as_ref(), row.crn.as_ref()];
            if texts.into_iter().flatten().any(|text| client.betrays(text)) {
                return Err(listing.broken(client, &page, &format!("an id or a name that {BETRAYS}")));
            }
            rows.push(row);
        }
        pages += 1;
        let is_cut = page.next.is_some()
            && most.is_some_and(|most| pages >= most.pages || client.requests() >= most.requests);
        if is_cut || page.next.is_none() {
            rows.sort_by(|one: &Row, other| one.id.cmp(&other.id));
            // A row that moves while its pages are read comes twice.
            rows.dedup_by(|one, other| one.id == other.id);
            return Ok(Rc::new(Listed { rows, is_cut }));
        }
        if pages >= MOST_PAGES || rows.len() > MOST_ROWS {
            let most = format!("more than {MOST_PAGES} pages or {MOST_ROWS} rows");
            let what = format!("a next link, although the listing has {most}");
            return Err(listing.broken(client, &page, &what));
        }
    }
}

/// The fields of a record that make a row, each no longer than it may be; none without an id.
fn row(record: Json<'_>) -> Option<Row> {
    let text = |path: &[&str]| record.at(path)?.string();
    let within = |text: &str, most| text.chars().nth(most).is_none();
    // In a path, dots alone lead elsewhere, also if they are percent-encoded.
    let id = text(&["id"]).filter(|id| !["", ".", ".."].contains(&&**id) && within(id, LONGEST_ID))?;
    let name = text(&["display_name"]).map(|name| name.chars().take(LONGEST_ID).collect());
    let crn = text(&["metadata", "resource_name"]).filter(|crn| within(crn, LONGEST_CRN));
    Some(Row { id: id.into_owned(), name, crn: crn.map(Cow::into_owned) })
}
