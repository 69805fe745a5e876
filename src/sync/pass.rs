//! One reading of one stream: which page is asked for next, and what becomes of it.

mod recover;

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::emitted::Emitted;
use super::sample::Sample;
use super::{Plan, gone};
use crate::api::organization::Organization;
use crate::api::page::Page;
use crate::api::{Client, Listing, MOST_EMPTY_PAGES, Wait};
use crate::crn;
use crate::error::{Answer, Error, Kind};
use crate::log;
use crate::protocol::{Event, Records, Selected, Tally};
use crate::shape::{Object, Shape};
use crate::state::{Access, Place, Position, Reach};
use crate::streams::{Scope, Stream};
use recover::all_refused;

/// One reading of one stream, from a place to its end.
pub struct Pass {
    client: Rc<Client>,
    organization: Organization,
    access: Access,
    stream: &'static Stream,
    shape: Shape,
    /// Whether an empty list is taken for an answer also where there must be something.
    may_be_empty: bool,
    sample: Option<Sample>,
    /// Environments to go through, in ascending order, where that is to be done; else empty.
    environments: Vec<String>,
    /// Environments that were refused, and why.
    refused: Vec<(String, Error)>,
    /// Why this pass cannot be complete, although it goes on.
    incomplete: Option<Error>,
    /// Whether the listing is read by a token of an earlier run, which has brought no record yet.
    resumed: bool,
    restarted: bool,
    tokens: Tokens,
    emitted: Emitted,
    /// Empty pages in a row.
    empty_pages: usize,
    begun: Instant,
    tally: Tally,
    retries: Cell<u64>,
    /// Pages asked for, tries apart.
    asked: Cell<u64>,
    events: mpsc::Sender<Event>,
}

/// Hashes of the page tokens of one listing, so that a token seen before is noticed.
#[derive(Default)]
struct Tokens {
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Tokens {
    fn is_new(&mut self, token: &str) -> bool {
        self.seen.insert(self.hasher.hash_one(token))
    }
}

impl Pass {
    pub fn new(client: Rc<Client>, plan: &Plan, selected: Selected, events: mpsc::Sender<Event>) -> Pass {
        let stream = selected.stream;
        let shape = Shape::new(stream, selected.drops, plan.form.clone());
        Pass {
            client,
            organization: plan.organization.clone(),
            access: plan.access.clone(),
            stream,
            shape,
            may_be_empty: plan.may_be_empty,
            sample: plan.sample.then(Sample::default),
            environments: Vec::new(),
            refused: Vec::new(),
            incomplete: None,
            resumed: false,
            restarted: false,
            tokens: Tokens::default(),
            emitted: Emitted::default(),
            empty_pages: 0,
            begun: Instant::now(),
            tally: Tally::default(),
            retries: Cell::new(0),
            asked: Cell::new(0),
            events,
        }
    }

    /// Says that there is nothing to read.
    pub async fn skip(self) -> (Tally, Result<(), Error>) {
        let position = Position::Complete { access: self.access.clone(), records: None };
        let (stream, now) = (self.stream, Utc::now());
        let started = Event::Started { stream, position: position.clone() };
        let (records, tally, received_at, began) = (Records::default(), self.tally, now, now);
        let nothing = Event::Page { stream, records, position, received_at, began, tally };
        for event in [started, nothing] {
            if let Err(error) = self.events.send(event).await {
                return (self.tally, Err(gone(error)));
            }
        }
        (self.tally, Ok(()))
    }

    pub async fn run(mut self, place: Place) -> (Tally, Result<(), Error>) {
        self.begun = Instant::now();
        let read = self.read(place).await;
        let unasked = self.sample.take().and_then(|sample| sample.unasked);
        for words in self.shape.strays().into_iter().chain(unasked) {
            log::warn(format!("{}: {}", self.stream.name, self.client.quotable(words)));
        }
        let tally = self.tally();
        let outcome = read.map_err(|mut error| {
            if error.kind == Kind::Unavailable && self.refused.is_empty() {
                error.message += "; what has been read is kept in the state";
            }
            error
        });
        let missing = self.incomplete.or_else(|| all_refused(self.refused));
        (tally, outcome.and(missing.map_or(Ok(()), Err)))
    }

    /// What reading has taken so far.
    fn tally(&self) -> Tally {
        let (retries, seconds) = (self.retries.get(), self.begun.elapsed().as_secs_f64());
        Tally { requests: self.asked.get() + retries, retries, seconds, ..self.tally }
    }

    async fn read(&mut self, place: Place) -> Result<(), Error> {
        let (stream, events) = (self.stream, self.events.clone());
        let start = if place.is_first() { Position::Start } else { Position::At(place.clone()) };
        events.send(Event::Started { stream, position: start.clone() }).await.map_err(gone)?;
        let began = place.started_at;
        let mut place = match self.enter(place).await? {
            Position::At(place) => place,
            // There is no listing at all.
            position => {
                let position = if self.sample.is_some() { start } else { position };
                return self.say(Records::default(), position, began).await;
            }
        };
        self.resumed = place.token.as_deref().is_some_and(|token| self.tokens.is_new(token));
        self.emitted.begin(&place);
        if !self.may_ask() {
            return Ok(());
        }
        let mut page = self.page(&place).await;
        loop {
            let began = place.started_at;
            let (records, mut after) = match page {
                Ok(page) if self.resumed && page.is_empty_end() => {
                    let expired =
                        "the page token of its state leads to an empty last page, so it may have expired";
                    (Records::default(), self.restart(&place, expired).await?)
                }
                Ok(page) => self.take(page, place)?,
                Err(error) => {
                    self.resumed = false;
                    (Records::default(), self.instead(place, error).await?)
                }
            };
            self.emitted.after(&after);
            let impossible = self.impossible_end(&after);
            if impossible.is_some() {
                after = Position::Start;
            }
            let position = match self.sample {
                Some(_) => start.clone(),
                None => after.clone().behind(!self.refused.is_empty()),
            };
            let goes_on = self.may_ask();
            let said = self.say(records, position, began);
            match after {
                Position::At(next) if goes_on => {
                    let (said, asked) = tokio::join!(said, self.page(&next));
                    said?;
                    (page, place) = (asked, next);
                }
                _ => {
                    said.await?;
                    return impossible.map_or(Ok(()), Err);
                }
            }
        }
    }

    async fn say(&self, records: Records, position: Position, began: DateTime<Utc>) -> Result<(), Error> {
        let (stream, received_at, tally) = (self.stream, Utc::now(), self.tally());
        let page = Event::Page { stream, records, position, received_at, began, tally };
        self.events.send(page).await.map_err(gone)
    }

    /// Why the stream cannot end here with nothing, if it may not.
    fn impossible_end(&self, after: &Position) -> Option<Error> {
        let is_empty = matches!(after, Position::Complete { records: Some(0), .. });
        (is_empty && self.stream.never_empty).then(|| self.empty("its list", self.stream.role)).flatten()
    }

    /// The error of a list that cannot be empty and is; none, with a warning, where the settings allow it.
    fn empty(&self, list: &str, role: &str) -> Option<Error> {
        let name = self.stream.name;
        if self.may_be_empty {
            log::warn(format!(
                "{name}: {list} is empty, although every organization has something in it; empty_lists: warn"
            ));
            return None;
        }
        let words = format!(
            "{list} is empty, although every organization has something in it: the owner of the API key sees less \
             than there is. The role {role} sees all (not verified). If there is really nothing, set empty_lists to warn"
        );
        Some(Error::new(Kind::Denied, words))
    }

    async fn page(&self, place: &Place) -> Result<Page, Error> {
        let filters = match self.stream.scope {
            Scope::Everything => Vec::new(),
            Scope::Organization { crn_parameter } => {
                let scope = self.scope_crn(place)?;
                let suffix = if place.reach() == Some(Reach::Nested) { "/*" } else { "" };
                vec![(crn_parameter, format!("{scope}{suffix}"))]
            }
            Scope::EachEnvironment { parameter, .. } => {
                vec![(parameter, place.environment().unwrap_or_default().to_owned())]
            }
        };
        self.asked.set(self.asked.get() + 1);
        let page_size = self.stream.max_page_size;
        let listing = Listing { path: self.stream.path, page_size, filters, role: self.stream.role };
        self.client.page(&listing, place.token.as_deref(), &async |wait| self.tell(wait).await).await
    }

    async fn tell(&self, wait: Wait) {
        self.retries.set(self.retries.get() + u64::from(wait.is_retry()));
        log::info(format!("{}: {wait}", self.stream.name));
        if wait.is_rate_limit() {
            let until = Utc::now() + wait.duration;
            // If nobody takes the event, the next page will find out.
            let _ = self.events.send(Event::RateLimited { stream: self.stream, until }).await;
        }
    }

    /// The scope that a place lists.
    fn scope_crn(&self, place: &Place) -> Result<String, Error> {
        let organization = self.organization.scope()?;
        Ok(match place.environment() {
            Some(environment) => crn::environment(organization, environment),
            None => organization.to_owned(),
        })
    }

    /// Whether another page may be asked for; a sample asks for few.
    fn may_ask(&mut self) -> bool {
        let requests = self.client.requests();
        self.sample.as_mut().is_none_or(|sample| sample.may_ask(requests))
    }

    /// Makes the records of a page fit, and moves the position past it.
    fn take(&mut self, page: Page, mut place: Place) -> Result<(Records, Position), Error> {
        let scope = match (self.stream.scope, place.reach()) {
            (Scope::Organization { crn_parameter }, Some(Reach::Bare)) => {
                Some((crn_parameter, self.scope_crn(&place)?))
            }
            _ => None,
        };
        let (mut records, mut is_inclusive) = (Records::default(), false);
        for record in page.records() {
            let record = self.shape.open(record).map_err(|what| self.broken(&place, &page, &what))?;
            if let Some((field, scope)) = &scope {
                is_inclusive |= record.text(field).is_some_and(|crn| crn::is_narrower(&crn, scope));
            }
            if self.is_of_another_environment(&record, &place) {
                let other = "a record of another environment than the one asked for";
                return Err(self.broken(&place, &page, other));
            }
            if !self.emitted.is_new(record.text(self.stream.key).as_deref(), place.reach()) {
                continue;
            }
            place.records = place.records.saturating_add(1);
            let before = records.json.len();
            let nulled = self.shape.fit(&record, place.environment(), &mut records.json);
            let nulled = nulled.map_err(|what| self.broken(&place, &page, &what))?;
            if self.sample.is_some() && self.tally.records + records.ends.len() as u64 > 0 {
                records.json.truncate(before);
                continue;
            }
            if !nulled.is_empty() {
                records.nulled.push((records.ends.len(), nulled));
            }
            records.ends.push(records.json.len());
        }
        self.resumed &= page.records().next().is_none();
        self.check_link(&page, &place)?;
        self.tally.records += records.ends.len() as u64;
        self.tally.pages += 1;
        let came = page.records().count();
        log::debug(format!("{}: page {}, {came} records", self.stream.name, self.tally.pages));
        let mut after = place.after(page.next, is_inclusive, &self.environments);
        if let Some(sample) = &mut self.sample {
            after = sample.after(after, came, &self.environments);
        }
        if !matches!(&after, Position::At(next) if next.token.is_some()) {
            self.tokens.seen.clear();
            self.empty_pages = 0;
        }
        Ok((records, after))
    }

    fn is_of_another_environment(&self, record: &Object<'_>, place: &Place) -> bool {
        let Scope::EachEnvironment { field, .. } = self.stream.scope else { return false };
        let named = record.at(field).and_then(|field| field.text()).filter(|id| !id.is_empty());
        named.is_some_and(|id| place.environment() != Some(&*id))
    }

    /// Bounds what a listing can repeat: its pages, and empty ones with a link to a next.
    fn check_link(&mut self, page: &Page, place: &Place) -> Result<(), Error> {
        let Some(token) = &page.next else { return Ok(()) };
        if !self.tokens.is_new(token) {
            let circle = "a link to a page that has been read: the listing runs in a circle";
            return Err(self.broken(place, page, circle));
        }
        self.empty_pages = if page.records().next().is_none() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages >= MOST_EMPTY_PAGES {
            let what = format!("no record: these are {MOST_EMPTY_PAGES} empty pages in a row");
            return Err(self.broken(place, page, &what));
        }
        Ok(())
    }

    fn broken(&self, place: &Place, page: &Page, what: &str) -> Error {
        let mut which = match &place.token {
            Some(token) => self.client.token_words(token),
            None => "that comes first".to_owned(),
        };
        if let Some(environment) = place.environment() {
            which += &format!(" in environment {environment}");
        }
        let (path, request_id) = (self.stream.path.to_owned(), page.request_id.clone());
        let answer = Answer { path, status: Some(200), request_id, ..Answer::default() };
        let message = format!("the page {which} holds {}", self.client.quotable(what.to_owned()));
        Error { answer: Some(Box::new(answer)), ..Error::broken(message) }
    }
}
