//! One pass over one stream: request a page, process it, move on. Knows no kind of partition.

use std::rc::Rc;
use std::time::Instant;

use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc;

use super::emitted::Emitted;
use super::partitions::Walk;
use super::plan::Plan;
use super::sample::{Sample, Turn};
use super::teller::Teller;
use crate::api::listing::Listing;
use crate::api::page::Page;
use crate::error::{Error, Kind};
use crate::log;
use crate::partition::Partition;
use crate::protocol::{Event, Selected, Tally};
use crate::shape::{Records, Shape};
use crate::state::{Bookmark, Position};
use crate::streams::Stream;

/// Lists lose fewer records than this all the time.
const LEAST_SHRINKAGE: u64 = 20;

/// Why a pass is not gone on with that ends where it is resumed.
const EXPIRED: &str = "the page token of its state leads to an empty last page, so it may have expired";

/// One pass over one stream, from a bookmark to its end.
pub struct Pass {
    plan: Rc<Plan>,
    stream: &'static Stream,
    /// Whether the next run reads on where this one ends.
    is_incremental: bool,
    shape: Shape,
    sample: Sample,
    walk: Walk,
    /// The page to request next.
    bookmark: Bookmark,
    /// Records of the last complete list, if this one is compared with it.
    last: Option<u64>,
    partition: Partition,
    listing: Listing,
    emitted: Emitted,
    /// Whether the listing was resumed with a token of an earlier run and has returned no record yet.
    resumed: bool,
    restarted: bool,
    /// Bytes that the records of the next page are expected to take.
    room: usize,
    /// Why the pass ends behind a page that is yet to be said.
    broken_off: Option<Error>,
    /// Where a sample stays.
    start: Position,
    begun: Instant,
    tally: Tally,
    teller: Rc<Teller>,
}

impl Pass {
    pub fn new(plan: Rc<Plan>, selected: &Selected, begin: Bookmark, events: mpsc::Sender<Event>) -> Pass {
        let (stream, partition) = (selected.stream, Partition::default());
        let teller = Rc::new(Teller::new(stream, events));
        let resumed = !begin.is_first() && stream.cursor.is_none();
        let started_at = Some(if resumed { Utc::now() } else { begin.started_at });
        Pass {
            stream,
            is_incremental: !selected.skip_complete && stream.cursor.is_some(),
            shape: Shape::new(stream, &selected.deselected, plan.options.clone()),
            sample: Sample::new(plan.sample),
            walk: Walk::new(&plan, stream, &teller),
            last: selected.last.with(&plan.access).filter(|_| !plan.sample && stream.cursor.is_none()),
            listing: Listing::new(stream, &partition, None),
            partition,
            emitted: Emitted::default(),
            resumed: false,
            restarted: false,
            room: 0,
            broken_off: None,
            start: Position::Start,
            begun: Instant::now(),
            tally: Tally { resumed, started_at, pass_pages: (!resumed).then_some(0), ..Tally::default() },
            bookmark: begin,
            teller,
            plan,
        }
    }

    /// Reads to the end. Gives what that took, and why the stream is not complete if it is not.
    pub async fn run(mut self, schema: serde_json::Value) -> (Tally, Result<(), Error>) {
        let mut read = self.read(schema).await;
        for words in self.shape.drift().into_iter().chain(self.sample.unasked.take()) {
            log::warn(format!("{}: {}", self.stream.name, self.plan.client.auth.withhold(words)));
        }
        let is_kept = !self.walk.has_gap();
        if let Some(error) = read.as_mut().err().filter(|error| is_kept && error.kind == Kind::Unavailable) {
            error.message += "; the state keeps what has been read";
        }
        (self.tally(), read.and(self.walk.missing().map_or(Ok(()), Err)))
    }

    /// What reading has taken so far.
    fn tally(&self) -> Tally {
        let (retries, seconds) = (self.teller.retries.get(), self.begun.elapsed().as_secs_f64());
        let (pass_started_at, pass_records) = (Some(self.bookmark.started_at), Some(self.bookmark.records));
        let tally = Tally { retries, seconds, pass_started_at, pass_records, ..self.tally.clone() };
        Tally { requests: tally.requests + retries, ..tally }
    }

    async fn read(&mut self, schema: serde_json::Value) -> Result<(), Error> {
        if !self.bookmark.is_first() {
            self.start = self.position(Turn::Page);
        }
        self.teller.say(Event::Started { stream: self.stream, schema, position: self.start.clone() }).await?;
        let mut turn = self.enter().await?;
        let mut event = (turn != Turn::Page).then(|| self.page(turn, Records::default()));
        self.resumed = self.bookmark.page_token.is_some();
        // A sample that may not request more requests one page, or nothing would be known about the stream.
        while turn == Turn::Page {
            self.tally.requests += 1;
            let on_wait = async |wait| self.teller.tell(wait).await;
            let asked = self.listing.page(&self.plan.client, Some(&on_wait));
            let (said, asked) = tokio::join!(self.teller.say(event), asked);
            said?;
            // Pages of a listing mostly have about the same size.
            let mut records = Records::with_room(self.room);
            turn = match asked {
                Ok(page) if self.resumed && page.is_empty_end() => self.restart(EXPIRED).await?,
                Ok(page) => self.take(&page, &mut records).await?,
                Err(error) => self.recover(error).await?,
            };
            turn = self.sample.within(turn, self.plan.client.requests.get());
            event = Some(self.page(turn, records));
        }
        self.teller.say(event).await?;
        self.broken_off.take().map_or(Ok(()), Err)
    }

    fn page(&mut self, turn: Turn, records: Records) -> Event {
        if turn == Turn::End {
            self.broken_off = self.possible_end().err();
        }
        let position = if self.plan.sample { self.start.clone() } else { self.position(turn) };
        let (stream, received_at, tally) = (self.stream, Utc::now(), self.tally());
        Event::Page { stream, records, position, received_at, tally }
    }

    /// The position to say. Behind a gap nothing has been read, so that no later run goes on behind it, or takes the
    /// stream for complete.
    fn position(&self, turn: Turn) -> Position {
        let is_missing = turn == Turn::End && (self.broken_off.is_some() || self.walk.missing().is_some());
        if is_missing || self.walk.has_gap() {
            return Position::Start;
        }
        let Bookmark { access, records, partition, .. } = self.bookmark.clone();
        match turn {
            Turn::End => {
                let next = self.walk.next_run().filter(|_| self.is_incremental);
                // Another run may have counted what this one has again.
                let is_known = !(self.tally.resumed && self.partition.repeats);
                Position::Complete { access, records: is_known.then_some(records), next }
            }
            // Without a number of records, which tells it from a full refresh: neither goes on with the other.
            _ if self.is_incremental => Position::Complete { access, records: None, next: partition },
            _ => Position::At(self.bookmark.clone()),
        }
    }

    /// Notes it if the list is much shorter than the last complete one.
    ///
    /// # Errors
    /// Denied, if that is not accepted, or the stream must not be empty, but is.
    fn possible_end(&mut self) -> Result<(), Error> {
        if self.walk.missing().is_some() {
            return Ok(());
        }
        let (now, config) = (self.bookmark.records, &self.plan.client.config);
        let percent = config.shrink_percent;
        if now == 0 && self.stream.never_empty {
            self.walk.accept_empty(self.stream)?;
        }
        let is_short = |last: &u64| now.saturating_mul(100) < last.saturating_mul(percent);
        let short = self.last.filter(is_short).filter(|last| last - now >= LEAST_SHRINKAGE);
        self.tally.shrunk = short.map(|last| [last, now]);
        let Some(last) = short.filter(|_| config.shrunk_lists.fails()) else { return Ok(()) };
        let words = format!(
            "its list has shrunk from {last} records to {now}, below shrink_percent ({percent}): the owner of the \
             API key may see less than before. If so many are really gone, run once with shrunk_lists: warn"
        );
        Err(Error::new(Kind::Denied, words))
    }

    /// Finds the partition of the bookmark, or the first.
    async fn enter(&mut self) -> Result<Turn, Error> {
        if !self.bookmark.is_first() {
            if let Some(there) = self.walk.named(self.bookmark.partition.as_deref()).await? {
                return Ok(self.go_to(there));
            }
            log::warn(format!(
                "{}: its state names a partition that no longer exists; reading it from the first page",
                self.stream.name
            ));
            return self.begin_pass().await;
        }
        let first = self.walk.first().await?;
        Ok(self.go_to(first))
    }

    /// Begins a new pass, or the listing that cannot be gone on with, at most once per run.
    async fn restart(&mut self, why: &str) -> Result<Turn, Error> {
        (self.restarted, self.resumed, self.bookmark.page_token) = (true, false, None);
        if let Some(name) = self.partition.name.as_ref().filter(|_| self.partition.restarts) {
            log::warn(format!("{}: {why}; reading {name} again from the first page", self.stream.name));
            return Ok(self.go_to(Some(self.partition.clone())));
        }
        log::warn(format!("{}: {why}; reading the stream again from the first page", self.stream.name));
        self.walk.forget();
        self.begin_pass().await
    }

    /// The new pass begins later, because the moment at which a pass began is the version of its rows.
    async fn begin_pass(&mut self) -> Result<Turn, Error> {
        let now = Utc::now().max(self.bookmark.started_at + TimeDelta::milliseconds(1));
        self.bookmark = Bookmark::first(&self.plan.access, now);
        (self.tally.resumed, self.tally.pass_pages) = (false, Some(0));
        let first = self.walk.first().await?;
        Ok(self.go_to(first))
    }

    /// Begins a partition at the page of the bookmark; without one, the pass ends, or what a sample may request of it.
    fn go_to(&mut self, partition: Option<Partition>) -> Turn {
        let Some(partition) = partition else { return self.sample.end(self.walk.is_cut) };
        self.bookmark.partition.clone_from(&partition.name);
        let token = self.bookmark.page_token.clone();
        self.emitted.begin(&partition, token.is_none());
        self.shape.begin();
        self.listing = Listing::new(self.stream, &partition, token);
        self.partition = partition;
        self.sample.begin()
    }

    /// How to continue after an error: the pass is restarted, or a listing is skipped.
    async fn recover(&mut self, error: Error) -> Result<Turn, Error> {
        self.resumed = false;
        if error.refuses_token() && self.listing.token.is_some() && !self.restarted {
            return self.restart(&format!("its page token was rejected: {error}")).await;
        }
        let next = self.walk.refused(&self.partition, error).await?;
        self.bookmark.page_token = None;
        Ok(self.go_to(next))
    }

    /// Makes the records of a page fit, and moves past it.
    async fn take(&mut self, page: &Page, records: &mut Records) -> Result<Turn, Error> {
        let (mut came, mut is_inclusive) = (0, false);
        for record in page.records() {
            came += 1;
            let fitted = self.shape.fit(record, &self.partition, records);
            let fitted = fitted.map_err(|what| self.listing.broken(&self.plan.client, page, &what))?;
            is_inclusive |= fitted.is_narrower;
            let is_repeat = self.emitted.repeats(&fitted.key, &self.partition);
            if is_repeat || self.plan.sample && self.tally.records + records.iter().count() as u64 > 1 {
                records.pop();
            }
        }
        self.resumed &= came == 0;
        if let Some(inclusive) = self.partition.inclusive.take_if(|_| is_inclusive) {
            self.bookmark.partition = Some(inclusive.clone());
            self.partition.name = Some(inclusive);
            self.emitted.begin(&self.partition, false);
        }
        let mut turn = self.sample.after(came > 0, page.next.is_some(), self.partition.inclusive.is_some());
        if turn == Turn::End {
            turn = match self.walk.next(&self.partition).await {
                Ok(next) => {
                    self.bookmark.page_token = None;
                    self.go_to(next)
                }
                Err(error) => {
                    self.broken_off = Some(error);
                    Turn::Enough
                }
            };
        } else if !self.partition.restarts {
            self.bookmark.page_token.clone_from(&page.next);
        }
        self.room = records.iter().map(<[u8]>::len).sum::<usize>() / 8 * 9;
        let taken = records.iter().count() as u64;
        self.tally.records += taken;
        // Else the position stays before this page, whose records are said nevertheless.
        if self.broken_off.is_none() {
            self.bookmark.records = self.bookmark.records.saturating_add(taken);
        }
        self.tally.pages += 1;
        self.tally.pass_pages = self.tally.pass_pages.map(|pages| pages + 1);
        self.tally.first_request_id = self.tally.first_request_id.take().or_else(|| page.request_id.clone());
        self.tally.last_request_id.clone_from(&page.request_id);
        log::debug(format!("{}: page {}, {came} records", self.stream.name, self.tally.pages));
        Ok(turn)
    }
}
