//! One pass over one stream: request a page, process it, move on. Knows no kind of partition.

use std::rc::Rc;
use std::time::Instant;

use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc;

use super::emitted::Emitted;
use super::partitions::{Named, Walk, empty};
use super::plan::Plan;
use super::sample::{Next, Sample};
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

/// One pass over one stream, from a bookmark to its end.
pub struct Pass {
    plan: Rc<Plan>,
    stream: &'static Stream,
    /// Whether the next run of a stream with a cursor reads on where this one ends.
    is_incremental: bool,
    shape: Shape,
    sample: Option<Sample>,
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
    /// Why the pass ends behind a page that is yet to be said.
    broken_off: Option<Error>,
    /// Where a sample stays.
    start: Position,
    begun: Instant,
    tally: Tally,
    teller: Teller,
}

/// How far a pass has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    /// Another page is to be requested.
    Page,
    /// The last listing is complete.
    End,
    /// Nothing further is asked for: a sample has seen enough, or what comes next cannot be told.
    Enough,
}

impl Pass {
    pub fn new(plan: Rc<Plan>, selected: &Selected, begin: Bookmark, events: mpsc::Sender<Event>) -> Pass {
        let (stream, partition) = (selected.stream, Partition::default());
        let resumed = !begin.is_first() && stream.cursor.is_none();
        let started_at = Some(if resumed { Utc::now() } else { begin.started_at });
        Pass {
            stream,
            is_incremental: !selected.skip_complete,
            shape: Shape::new(stream, &selected.deselected, plan.options.clone()),
            sample: plan.sample.then(Sample::default),
            walk: Walk::new(&plan, stream),
            last: selected.last.with(&plan.access).filter(|_| !plan.sample && stream.cursor.is_none()),
            listing: Listing::new(stream, &partition, None),
            partition,
            emitted: Emitted::default(),
            resumed: false,
            restarted: false,
            broken_off: None,
            start: Position::Start,
            begun: Instant::now(),
            tally: Tally { resumed, started_at, pass_pages: (!resumed).then_some(0), ..Tally::default() },
            bookmark: begin,
            teller: Teller::new(stream, events),
            plan,
        }
    }

    /// Reads to the end. Gives what that took, and why the stream is not complete if it is not.
    pub async fn run(mut self, schema: serde_json::Value) -> (Tally, Result<(), Error>) {
        let read = self.read(schema).await;
        let unasked = self.sample.take().and_then(|sample| sample.unasked);
        for words in self.shape.drift().into_iter().chain(unasked) {
            log::warn(format!("{}: {}", self.stream.name, self.plan.client.auth.withhold(words)));
        }
        let outcome = read.map_err(|mut error| {
            if error.kind == Kind::Unavailable && !self.walk.has_gap() {
                error.message += "; the state keeps what has been read";
            }
            error
        });
        (self.tally(), outcome.and(self.walk.missing().map_or(Ok(()), Err)))
    }

    /// What reading has taken so far.
    fn tally(&self) -> Tally {
        let (retries, seconds) = (self.teller.retries.get(), self.begun.elapsed().as_secs_f64());
        let mut tally = Tally { retries, seconds, ..self.tally.clone() };
        tally.requests += retries;
        (tally.pass_started_at, tally.pass_records) =
            (Some(self.bookmark.started_at), Some(self.bookmark.records));
        tally
    }

    async fn read(&mut self, schema: serde_json::Value) -> Result<(), Error> {
        if !self.bookmark.is_first() {
            self.start = self.position(Turn::Page);
        }
        self.teller.say(Event::Started { stream: self.stream, schema, position: self.start.clone() }).await?;
        let (mut turn, mut event) = (self.enter().await?, None);
        if turn != Turn::Page {
            event = Some(self.page(turn, Records::default()));
        }
        self.resumed = self.bookmark.page_token.is_some();
        // A sample that may not request more requests one page, or nothing would be known about the stream.
        let mut goes_on = turn == Turn::Page;
        while goes_on {
            self.tally.requests += 1;
            let on_wait = async |wait| self.teller.tell(wait).await;
            let asked = self.listing.page(&self.plan.client, Some(&on_wait));
            let (said, asked) = tokio::join!(self.teller.say(event), asked);
            said?;
            let mut records = Records::default();
            turn = match asked {
                Ok(page) if self.resumed && page.is_empty_end() => {
                    let expired =
                        "the page token of its state leads to an empty last page, so it may have expired";
                    self.restart(expired).await?
                }
                Ok(page) => self.take(&page, &mut records).await?,
                Err(error) => self.recover(error).await?,
            };
            event = Some(self.page(turn, records));
            goes_on = turn == Turn::Page && self.may_ask();
        }
        self.teller.say(event).await?;
        self.broken_off.take().map_or(Ok(()), Err)
    }

    fn page(&mut self, turn: Turn, records: Records) -> Event {
        if turn == Turn::End {
            self.broken_off = self.impossible_end();
        }
        let position = if self.sample.is_some() { self.start.clone() } else { self.position(turn) };
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
        let Bookmark { access, records, partition, .. } = &self.bookmark;
        match turn {
            Turn::End => {
                let next = self.walk.next_run().filter(|_| self.is_incremental);
                // Another run may have counted what this one has again.
                let is_known = !(self.tally.resumed && self.partition.repeats);
                Position::Complete { access: access.clone(), records: is_known.then_some(*records), next }
            }
            // Without a number of records, which tells it from a full refresh: neither goes on with the other.
            _ if self.is_incremental && self.stream.cursor.is_some() => {
                Position::Complete { access: access.clone(), records: None, next: partition.clone() }
            }
            _ if self.partition.restarts => {
                Position::At(Bookmark { page_token: None, ..self.bookmark.clone() })
            }
            _ => Position::At(self.bookmark.clone()),
        }
    }

    /// The error of a stream that must not be empty, but is, or whose list must not shrink so far.
    fn impossible_end(&mut self) -> Option<Error> {
        if self.walk.missing().is_some() {
            return None;
        }
        let is_impossible = self.bookmark.records == 0 && self.stream.never_empty;
        let empty = is_impossible.then(|| empty(self.stream, self.stream, self.plan.may_be_empty)).flatten();
        empty.or_else(|| self.shrunk())
    }

    /// Notes it if the list is much shorter than the last complete one. The error, if that is not accepted.
    fn shrunk(&mut self) -> Option<Error> {
        let (now, percent) = (self.bookmark.records, self.plan.shrink_percent);
        let is_short = |last: &u64| now.saturating_mul(100) < last.saturating_mul(percent);
        let last = self.last.filter(is_short).filter(|last| last - now >= LEAST_SHRINKAGE)?;
        self.tally.shrunk = Some([last, now]);
        let words = format!(
            "its list has shrunk from {last} records to {now}, below shrink_percent ({percent}): the owner of the \
             API key may see less than before. If so many are really gone, run once with shrunk_lists: warn"
        );
        (!self.plan.may_shrink).then(|| Error::new(Kind::Denied, words))
    }

    /// Whether another page may be requested; a sample requests few.
    fn may_ask(&mut self) -> bool {
        let requests = self.plan.client.requests.get();
        self.sample.as_mut().is_none_or(|sample| sample.may_ask(requests))
    }

    /// Finds the partition of the bookmark, or the first.
    async fn enter(&mut self) -> Result<Turn, Error> {
        if !self.bookmark.is_first() {
            let name = self.bookmark.partition.as_deref();
            match self.walk.named(name, &self.teller).await? {
                Named::Here(partition) => return Ok(self.begin(*partition)),
                Named::Behind => return Ok(self.end()),
                Named::Gone => {}
            }
            log::warn(format!(
                "{}: its state names a partition that no longer exists; reading it from the first page",
                self.stream.name
            ));
            self.begin_pass();
        }
        let first = self.walk.first(&self.teller).await?;
        Ok(self.go_to(first))
    }

    /// Begins a new pass, or the listing that cannot be gone on with, at most once per run.
    async fn restart(&mut self, why: &str) -> Result<Turn, Error> {
        (self.restarted, self.resumed) = (true, false);
        if let Some(name) = self.partition.name.as_ref().filter(|_| self.partition.restarts) {
            log::warn(format!("{}: {why}; reading {name} again from the first page", self.stream.name));
            return Ok(self.go_to(Some(self.partition.clone())));
        }
        log::warn(format!("{}: {why}; reading the stream again from the first page", self.stream.name));
        self.walk.forget();
        self.begin_pass();
        let first = self.walk.first(&self.teller).await?;
        Ok(self.go_to(first))
    }

    /// The new pass begins later, because the moment at which a pass began is the version of its rows.
    fn begin_pass(&mut self) {
        let now = Utc::now().max(self.bookmark.started_at + TimeDelta::milliseconds(1));
        self.bookmark = Bookmark::first(&self.plan.access, now);
        (self.tally.resumed, self.tally.pass_pages) = (false, Some(0));
    }

    /// Begins a partition at the page of the bookmark.
    fn begin(&mut self, partition: Partition) -> Turn {
        self.bookmark.partition.clone_from(&partition.name);
        let token = self.bookmark.page_token.clone();
        self.emitted.begin(&partition, token.is_none());
        self.shape.begin();
        self.listing = Listing::new(self.stream, &partition, token);
        self.partition = partition;
        let may = self.sample.as_mut().is_none_or(Sample::begins);
        if may { Turn::Page } else { Turn::Enough }
    }

    /// Goes on with another partition, or ends.
    fn go_to(&mut self, partition: Option<Partition>) -> Turn {
        self.bookmark.page_token = None;
        match partition {
            Some(partition) => self.begin(partition),
            None => self.end(),
        }
    }

    /// There is no further partition, or none that a sample may request.
    fn end(&mut self) -> Turn {
        let is_cut = self.walk.is_cut;
        self.sample.iter_mut().filter(|_| is_cut).for_each(Sample::cut);
        if is_cut { Turn::Enough } else { Turn::End }
    }

    /// How to continue after an error: the pass is restarted, or a listing is skipped.
    async fn recover(&mut self, error: Error) -> Result<Turn, Error> {
        self.resumed = false;
        if error.refuses_token() && self.bookmark.page_token.is_some() && !self.restarted {
            return self.restart(&format!("its page token was rejected: {error}")).await;
        }
        let next = self.walk.refused(&self.partition, error, &self.teller).await?;
        Ok(self.go_to(next))
    }

    /// Makes the records of a page fit, and moves past it.
    async fn take(&mut self, page: &Page, records: &mut Records) -> Result<Turn, Error> {
        let (mut came, mut is_inclusive) = (0, false);
        records.reserve(page.size());
        for record in page.records() {
            came += 1;
            let fitted = self.shape.fit(record, &self.partition, records);
            let fitted = fitted.map_err(|what| self.listing.broken(&self.plan.client, page, &what))?;
            is_inclusive |= fitted.is_narrower;
            if self.emitted.repeats(&fitted.key, &self.partition) {
                records.pop();
                continue;
            }
            if self.sample.is_some() && self.tally.records + records.iter().count() as u64 > 1 {
                records.pop();
            }
        }
        self.resumed &= came == 0;
        if let Some(scope) = self.partition.observes.take_if(|_| is_inclusive) {
            self.partition.name = Some(scope.inclusive);
            self.bookmark.partition.clone_from(&self.partition.name);
            self.emitted.begin(&self.partition, false);
        }
        let (has_next, observes) = (page.next.is_some(), self.partition.observes.is_some());
        let next = match &mut self.sample {
            Some(sample) => sample.after(came > 0, has_next, observes),
            None if has_next => Next::Page,
            None => Next::Partition,
        };
        let turn = match next {
            Next::Page => {
                self.bookmark.page_token.clone_from(&page.next);
                Turn::Page
            }
            Next::Partition => match self.walk.next(&self.partition, &self.teller).await {
                Ok(next) => self.go_to(next),
                Err(error) => {
                    self.broken_off = Some(error);
                    Turn::Enough
                }
            },
            Next::Enough => Turn::Enough,
        };
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
