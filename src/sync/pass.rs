//! One reading of one stream: which page is asked for next, and what becomes of it.

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Instant;

use chrono::Utc;
use tokio::sync::mpsc;

use super::{Plan, gone};
use crate::api::organization::Organization;
use crate::api::page::Page;
use crate::api::{Client, Listing, Wait};
use crate::crn::{self, Relation};
use crate::error::{Answer, Error, Kind};
use crate::log;
use crate::protocol::{Event, Records, Selected, Tally};
use crate::shape::Shape;
use crate::state::{Place, Position};
use crate::streams::{Scope, Stream};

/// One reading of one stream, from a place to its end.
pub struct Pass {
    client: Rc<Client>,
    organization: Organization,
    stream: &'static Stream,
    shape: Shape,
    sample: bool,
    /// Environments to go through, in ascending order, where that is to be done; else empty.
    environments: Vec<String>,
    /// Environments that were refused, and why.
    refused: Vec<(String, Error)>,
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
    pub fn new(client: Rc<Client>, plan: &Plan, selected: Selected, events: mpsc::Sender<Event>) -> Pass {
        let stream = selected.stream;
        let shape = Shape::new(stream, selected.drops, plan.form.clone());
        Pass {
            client,
            organization: plan.organization.clone(),
            stream,
            shape,
            sample: plan.sample,
            environments: Vec::new(),
            refused: Vec::new(),
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
    pub async fn skip(self) -> (Tally, Result<(), Error>) {
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

    pub async fn run(mut self, place: Place) -> (Tally, Result<(), Error>) {
        let begun = Instant::now();
        let read = self.read(place).await;
        if let Some(strays) = self.shape.strays() {
            log::warn(format!("{}: {strays}", self.stream.name));
        }
        self.tally.retries = self.retries.get();
        self.tally.requests = self.asked.get() + self.retries.get();
        self.tally.seconds = begun.elapsed().as_secs_f64();
        let outcome = read.map_err(|mut error| {
            if error.kind == Kind::Unavailable && self.refused.is_empty() {
                error.message += "; what has been read is kept in the state";
            }
            error
        });
        let missing = self.incomplete.or_else(|| all_refused(self.refused));
        (self.tally, outcome.and(missing.map_or(Ok(()), Err)))
    }

    async fn read(&mut self, place: Place) -> Result<(), Error> {
        let stream = self.stream;
        let start = if place.is_first() { Position::Start } else { Position::At(place.clone()) };
        let events = self.events.clone();
        events.send(Event::Started { stream, position: start.clone() }).await.map_err(gone)?;
        let mut place = self.enter(place).await?;
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
            let gap = !self.refused.is_empty();
            let position = if self.sample { start.clone() } else { after.clone().behind(gap) };
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
                let suffix = if place.is_nested() { "/*" } else { "" };
                vec![(crn_parameter, format!("{scope}{suffix}"))]
            }
            Scope::EachEnvironment { parameter, .. } => {
                vec![(parameter, place.environment().unwrap_or_default().to_owned())]
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
            Scope::Organization { crn_parameter } => Some((crn_parameter, self.scope_crn(&place)?)),
            Scope::Everything | Scope::EachEnvironment { .. } => None,
        };
        let (mut records, mut saw_below) = (Records::default(), false);
        for record in page.records() {
            let record = self.shape.open(record).map_err(|what| self.broken(&place, &page, what))?;
            if let Some((field, scope)) = &scope {
                let relation =
                    record.text(field).map_or(Relation::Unrelated, |crn| crn::relation(&crn, scope));
                saw_below |= relation == Relation::Below;
                if relation == Relation::Same && place.is_nested() {
                    continue; // the bare listing has brought it
                }
            }
            if let Scope::EachEnvironment { field, .. } = self.stream.scope
                && let Some(other) = record.at(field).and_then(|field| field.text())
                && !other.is_empty()
                && place.environment() != Some(&*other)
            {
                return Err(self.broken(
                    &place,
                    &page,
                    "a record of another environment than the one asked for",
                ));
            }
            let nulled = self.shape.fit(&record, place.environment(), &mut records.json);
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
        let mut which = match &place.token {
            Some(token) => format!("with the page token {token:?}"),
            None => "that comes first".to_owned(),
        };
        if let Some(environment) = place.environment() {
            which += &format!(" in environment {environment}");
        }
        let (path, request_id) = (self.stream.path.to_owned(), page.request_id.clone());
        let answer = Answer { path, status: Some(200), request_id, body: String::new() };
        let message = format!("the page {which} holds {what}");
        Error { answer: Some(Box::new(answer)), ..Error::broken(message) }
    }

    /// The position at which to go on after an error: the pass is restarted, an environment is passed over,
    /// or the rest of the stream is read environment by environment.
    async fn instead(&mut self, place: Place, mut error: Error) -> Result<Position, Error> {
        self.tokens.seen.clear();
        let name = self.stream.name;
        if error.refuses_token() && place.token.is_some() && !self.restarted {
            log::warn(format!(
                "{name}: its page token is refused; reading the stream once more from page one: {error}"
            ));
            self.restarted = true;
            let first = self.first();
            return Ok(Position::At(self.enter(first).await?));
        }
        match (self.stream.scope, place.environment()) {
            (Scope::EachEnvironment { .. }, Some(environment)) if error.is_hidden() => {
                if error.status() == Some(404) {
                    error.kind = Kind::Denied;
                    "what is in it is hidden from the owner of the API key, or base_url is wrong"
                        .clone_into(&mut error.message);
                }
                log::warn(format!(
                    "{name}: environment {environment} is refused, going on with the next: {error}"
                ));
                self.refused.push((environment.to_owned(), error));
            }
            (Scope::Organization { .. }, Some(_)) if error.status() == Some(403) => {
                log::warn(format!("{name}: going on with the next environment: {error}"));
            }
            (Scope::Organization { .. }, None) if error.status() == Some(403) && place.is_nested() => {
                log::warn(format!("{name}: reading it environment by environment: {error}"));
                match self.list_environments().await {
                    Err(also) if also.is_hidden() => return Err(error),
                    listed => listed?,
                }
                self.incomplete = Some(whole_refused());
            }
            _ => return Err(error),
        }
        Ok(place.next_environment(&self.environments))
    }

    /// The first place of a new pass.
    fn first(&mut self) -> Place {
        self.refused.clear();
        self.incomplete = None;
        Place::first(self.stream.scope, self.organization.id.as_deref(), Utc::now())
    }

    /// Lists the environments if they are gone through, and gives the place to begin at.
    async fn enter(&mut self, mut place: Place) -> Result<Place, Error> {
        let name = self.stream.name;
        let each = matches!(self.stream.scope, Scope::EachEnvironment { .. });
        if !each && place.environment().is_none() {
            return Ok(place);
        }
        self.list_environments().await?;
        if place.environment().is_some_and(|id| !self.environments.iter().any(|other| other == id)) {
            log::warn(format!(
                "{name}: its state names an environment that is not there; reading it from page one"
            ));
            place = self.first();
        }
        match place.environment() {
            None if each => {
                if let Position::At(first) = place.clone().next_environment(&self.environments) {
                    place = first;
                }
            }
            Some(_) if !each => self.incomplete = Some(whole_refused()),
            _ => {}
        }
        Ok(place)
    }

    async fn list_environments(&mut self) -> Result<(), Error> {
        self.environments = self.client.environments(&async |wait| self.tell(wait).await).await?;
        Ok(())
    }
}

/// One error for all environments that were refused: the first one's, with the names of the others.
fn all_refused(refused: Vec<(String, Error)>) -> Option<Error> {
    const MOST: usize = 5;
    let (count, names) = (refused.len(), refused.iter().take(MOST).map(|(id, _)| id.as_str()));
    let names = names.collect::<Vec<_>>().join(", ");
    let words = match count {
        1 => format!("environment {names} is refused"),
        _ if count > MOST => format!("{count} environments are refused, {names} among them"),
        _ => format!("{count} environments are refused, {names}"),
    };
    let (_, mut error) = refused.into_iter().next()?;
    error.message = format!("{words}: {}. If it was deleted during this run, run again", error.message);
    Some(error)
}

fn whole_refused() -> Error {
    Error::new(
        Kind::Denied,
        "read environment by environment, because the listing of the whole organization is refused: what is \
         bound to the organization's own resources (identity providers, service accounts, …) may be missing",
    )
}
