//! The loop: ask for a page, move the position, say the page. Streams are read side by side, and the next
//! page of a stream is asked for while the last is written.
//!
//! Knows neither HTTP nor message formats.

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinSet, LocalSet};

use crate::api::organization::Organization;
use crate::api::page::Page;
use crate::api::{Client, Listing, Wait};
use crate::crn::{self, Relation};
use crate::error::{Answer, Error, Kind};
use crate::log;
use crate::protocol::{Event, Records, Selected, Tally};
use crate::shape::{Form, Shape};
use crate::state::{Place, Position, Reach, Resume};
use crate::streams::{Scope, Stream};

/// Events between the readers and the writer. Small: each may hold a page, and what waits here is read
/// again after a kill.
pub const EVENTS_IN_FLIGHT: usize = 2;

/// What to read, and how.
pub struct Plan {
    pub organization: Organization,
    /// Streams, and what to do with each.
    pub streams: Vec<(Selected, Resume)>,
    pub concurrency: usize,
    /// The form of the records.
    pub form: Form,
    /// Read the first record of each stream only, and move no position.
    pub sample: bool,
}

/// Reads all streams of the plan to their end. Every outcome, failures included, is said as an event.
pub async fn read(client: Rc<Client>, mut plan: Plan, events: mpsc::Sender<Event>) {
    let permits = Arc::new(Semaphore::new(plan.concurrency));
    let mut tasks = JoinSet::new();
    let tasks_of_one_thread = LocalSet::new();
    for (selected, resume) in std::mem::take(&mut plan.streams) {
        // Tasks are polled in the order in which they were made, and a semaphore is fair: streams start in
        // the order of the plan.
        let (permits, events, stream) = (permits.clone(), events.clone(), selected.stream);
        let pass = Pass::new(client.clone(), &plan, selected, events.clone());
        let read = async move {
            let _permit = permits.acquire_owned().await;
            let outcome = match begin(stream, resume) {
                Some(place) => pass.run(place).await,
                None => pass.skip().await,
            };
            let last = match outcome {
                (tally, Ok(())) => Event::Finished { stream, tally },
                (tally, Err(mut error)) => {
                    if error.kind == Kind::Unavailable {
                        error.message += "; what has been read is kept in the state";
                    }
                    Event::Failed { stream, tally, error }
                }
            };
            // Only a reader of stdout that has gone closes the channel, and the writer tells of that.
            let _ = events.send(last).await;
        };
        tasks.spawn_local_on(read, &tasks_of_one_thread);
    }
    drop(events);
    tasks_of_one_thread.await;
}

/// The place to begin at, told to people; none if there is nothing to read.
fn begin(stream: &Stream, resume: Resume) -> Option<Place> {
    match resume {
        Resume::At(place) => {
            if !place.is_first() {
                log::info(format!("{}: resuming where the last run stopped", stream.name));
            }
            Some(place)
        }
        Resume::Over(place, why) => {
            log::warn(format!("{}: {why}; reading it from page one", stream.name));
            Some(place)
        }
        Resume::Skip => {
            log::info(format!("{}: read to its end by an earlier try of this run, skipped", stream.name));
            None
        }
    }
}

/// One reading of one stream, from a place to its end.
struct Pass {
    client: Rc<Client>,
    organization: Organization,
    stream: &'static Stream,
    shape: Shape,
    sample: bool,
    /// Environments to go through, where the organization as a whole was refused; else empty.
    environments: Vec<String>,
    /// Why this pass cannot be complete, although it goes on.
    incomplete: Option<Error>,
    restarted: bool,
    tokens: Tokens,
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
    fn new(client: Rc<Client>, plan: &Plan, selected: Selected, events: mpsc::Sender<Event>) -> Pass {
        let stream = selected.stream;
        let shape = Shape::new(stream, selected.drops, plan.form.clone());
        Pass {
            client,
            organization: plan.organization.clone(),
            stream,
            shape,
            sample: plan.sample,
            environments: Vec::new(),
            incomplete: None,
            restarted: false,
            tokens: Tokens::default(),
            tally: Tally::default(),
            retries: Cell::new(0),
            asked: Cell::new(0),
            events,
        }
    }

    /// Says that there is nothing to read.
    async fn skip(self) -> (Tally, Result<(), Error>) {
        let (stream, position, now) = (self.stream, Position::Complete, Utc::now());
        let records = Records::default();
        let started = Event::Started { stream, position: position.clone() };
        let nothing = Event::Page { stream, records, position, received_at: now, began: now };
        for event in [started, nothing] {
            if let Err(error) = self.events.send(event).await {
                return (self.tally, Err(gone(error)));
            }
        }
        (self.tally, Ok(()))
    }

    async fn run(mut self, place: Place) -> (Tally, Result<(), Error>) {
        let begun = Instant::now();
        let read = self.read(place).await;
        if let Some(strays) = self.shape.strays() {
            log::warn(format!("{}: {strays}", self.stream.name));
        }
        self.tally.retries = self.retries.get();
        self.tally.requests = self.asked.get() + self.retries.get();
        self.tally.seconds = begun.elapsed().as_secs_f64();
        (self.tally, read.and(self.incomplete.map_or(Ok(()), Err)))
    }

    async fn read(&mut self, mut place: Place) -> Result<(), Error> {
        let stream = self.stream;
        let start = if place.is_first() { Position::Start } else { Position::At(place.clone()) };
        let events = self.events.clone();
        events.send(Event::Started { stream, position: start.clone() }).await.map_err(gone)?;
        if let Some(environment) = place.environment() {
            let environments = self.list_environments().await?;
            if environments.iter().any(|id| id == environment) {
                self.environments = environments;
            } else {
                log::warn(format!(
                    "{}: its state names an environment that is not there; reading it from page one",
                    stream.name
                ));
                place = self.first();
            }
        }
        if let Some(token) = &place.token {
            self.tokens.is_new(token);
        }
        let mut page = self.page(&place).await;
        loop {
            let began = place.started_at;
            let (records, after) = match page {
                Ok(page) => self.take(page, place)?,
                Err(error) => (Records::default(), self.instead(place, error).await?),
            };
            let sampled = self.sample && !records.is_empty();
            let position = if self.sample { start.clone() } else { after.clone() };
            let said = events.send(Event::Page { stream, records, position, received_at: Utc::now(), began });
            match after {
                Position::At(next) if !sampled => {
                    let (said, asked) = tokio::join!(said, self.page(&next));
                    said.map_err(gone)?;
                    (page, place) = (asked, next);
                }
                _ => return said.await.map_err(gone),
            }
        }
    }

    async fn page(&self, place: &Place) -> Result<Page, Error> {
        let filters = match self.stream.scope {
            Scope::Everything => Vec::new(),
            Scope::Organization { crn_parameter } => {
                let scope = self.scope_crn(place)?;
                let suffix = if place.reach() == Some(Reach::Nested) { "/*" } else { "" };
                vec![(crn_parameter, format!("{scope}{suffix}"))]
            }
        };
        self.asked.set(self.asked.get() + 1);
        let page_size = if self.sample { 1 } else { self.stream.max_page_size };
        let listing = Listing { path: self.stream.path, page_size, filters, role: self.stream.role };
        self.client.page(&listing, place.token.as_deref(), &async |wait| self.tell(wait).await).await
    }

    async fn tell(&self, wait: Wait) {
        self.retries.set(self.retries.get() + 1);
        let why = if wait.rate_limited { "rate limited" } else { "the service failed to answer" };
        let seconds = wait.duration.as_secs_f64();
        log::info(format!("{}: {why}, waiting {seconds:.1} s before asking again", self.stream.name));
        if wait.rate_limited {
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

    /// Makes the records of a page fit, and moves the position past it.
    fn take(&mut self, page: Page, place: Place) -> Result<(Records, Position), Error> {
        let scope = match self.stream.scope {
            Scope::Everything => None,
            Scope::Organization { crn_parameter } => Some((crn_parameter, self.scope_crn(&place)?)),
        };
        let (mut records, mut saw_below) = (Records::default(), false);
        for record in page.records() {
            let record = self.shape.open(record).map_err(|what| self.broken(&place, &page, what))?;
            if let Some((field, scope)) = &scope {
                let relation =
                    record.text(field).map_or(Relation::Unrelated, |crn| crn::relation(&crn, scope));
                saw_below |= relation == Relation::Below;
                if relation == Relation::Same && place.reach() == Some(Reach::Nested) {
                    continue; // the bare listing has brought it
                }
            }
            let nulled = self.shape.fit(&record, &mut records.json);
            let nulled = nulled.map_err(|what| self.broken(&place, &page, &what))?;
            if !nulled.is_empty() {
                records.nulled.push((records.ends.len(), nulled));
            }
            records.ends.push(records.json.len());
            if self.sample {
                break;
            }
        }
        match &page.next {
            Some(token) if !self.tokens.is_new(token) => {
                return Err(self.broken(
                    &place,
                    &page,
                    "a link to a page that has been read: the listing runs in a circle",
                ));
            }
            Some(_) => {}
            None => self.tokens.seen.clear(),
        }
        self.tally.records += records.len() as u64;
        self.tally.pages += 1;
        Ok((records, place.after(page.next, saw_below, &self.environments)))
    }

    fn broken(&self, place: &Place, page: &Page, what: &str) -> Error {
        let which = match &place.token {
            Some(token) => format!("with the page token {token:?}"),
            None => "that comes first".to_owned(),
        };
        let (path, request_id) = (self.stream.path.to_owned(), page.request_id.clone());
        let answer = Answer { path, status: Some(200), request_id, body: String::new() };
        let message = format!("the page {which} holds {what}");
        Error { answer: Some(Box::new(answer)), ..Error::broken(message) }
    }

    /// The position at which to go on after an error: the pass is restarted, or the rest of it is read
    /// environment by environment.
    async fn instead(&mut self, place: Place, error: Error) -> Result<Position, Error> {
        self.tokens.seen.clear();
        if error.refuses_token() && place.token.is_some() && !self.restarted {
            log::warn(format!(
                "{}: its page token is refused; reading the stream once more from page one: {error}",
                self.stream.name
            ));
            self.restarted = true;
            return Ok(Position::At(self.first()));
        }
        let narrows = place.reach() == Some(Reach::Nested) || place.environment().is_some();
        if error.status() != Some(403) || !narrows {
            return Err(error);
        }
        if place.environment().is_some() {
            log::warn(format!("{}: going on with the next environment: {error}", self.stream.name));
        } else {
            log::warn(format!("{}: reading it environment by environment: {error}", self.stream.name));
            self.environments = match self.list_environments().await {
                Err(also) if matches!(also.status(), Some(403 | 404)) => return Err(error),
                environments => environments?,
            };
        }
        Ok(place.next_environment(&self.environments))
    }

    /// The first place of a new pass.
    fn first(&mut self) -> Place {
        self.environments.clear();
        self.incomplete = None;
        Place::first(self.stream.scope, self.organization.id.as_deref(), Utc::now())
    }

    async fn list_environments(&mut self) -> Result<Vec<String>, Error> {
        let environments = self.client.environments(&async |wait| self.tell(wait).await).await?;
        self.incomplete = Some(Error::new(
            Kind::Denied,
            "read environment by environment, because the listing of the whole organization is refused: what is \
             bound to the organization's own resources (identity providers, service accounts, …) may be missing",
        ));
        Ok(environments)
    }
}

fn gone(_: mpsc::error::SendError<Event>) -> Error {
    Error::new(Kind::Output, "nobody takes the records any more")
}
