//! From a request to an answer: who asks, what is refused, which listing and page it is.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::bindings;
use crate::days;
use crate::faults::Fault;
use crate::grants::{Grant, Ledger};
use crate::http::{Answer, Head};
use crate::issuer::Issuer;
use crate::log::lock;
use crate::organization::{Envelope, Narrowed, Organization, Row, Stream};
use crate::page::{Asked, Listing, Page, Twist};
use crate::quota::Window;
use crate::random::dice;
use crate::refusals::{Refusal, demand, denied, expired, invalid, refuse};
use crate::streams::STREAMS;
use crate::target::{Target, at};
use crate::time::Day;
use crate::token::{Cursor, Mint};

/// Listings kept, so that a filter is applied once and not once a page.
const KEPT: usize = 64;

/// A place that no listing reaches.
const BEYOND: u64 = u64::MAX >> 2;

/// The service behind the socket.
pub struct Service {
    pub org: Organization,
    mint: Mint,
    listings: Mutex<HashMap<u64, Arc<Listing>>>,
    hiccups: Mutex<HashMap<(u64, u64, bool), u32>>,
    /// 0, or the status that every page token is refused with.
    pub refuse_tokens: AtomicU16,
    /// Tokens of an earlier generation have expired.
    pub generation: AtomicU64,
    /// Tokens of a generation before this one lead to an empty last page.
    pub emptied: AtomicU64,
    /// Requests that met a fault or a hiccup.
    pub faults: AtomicU64,
    /// Records that have been deleted, or never were, by stream and number.
    gone: Mutex<HashSet<(&'static str, u64)>>,
    pub grants: Mutex<Ledger>,
    pub issuer: Option<Issuer>,
    window: Window,
}

impl Service {
    pub fn new(org: Organization) -> Self {
        let missing = STREAMS.iter().flat_map(|stream| org.missing(stream).map(|index| (stream.name, index)));
        Self {
            gone: Mutex::new(missing.collect()),
            issuer: (org.scenario.oauth.clone())
                .map(|facts| Issuer::new(facts, org.scenario.seed, org.scenario.rude)),
            org,
            mint: Mint::new(),
            listings: Mutex::default(),
            hiccups: Mutex::default(),
            refuse_tokens: AtomicU16::new(0),
            generation: AtomicU64::new(1),
            emptied: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            grants: Mutex::default(),
            window: Window::default(),
        }
    }

    /// Deletes the last records of a stream that are still there, with all that is in them, and says
    /// their ids.
    pub fn delete(&self, stream: &'static Stream, count: usize) -> Vec<String> {
        let last: Vec<Row> = self.live(stream, None).into_iter().rev().take(count).collect();
        let mut gone = lock(&self.gone);
        for row in &last {
            self.bury(&mut gone, *row);
        }
        drop(gone);
        lock(&self.listings).clear();
        last.into_iter().map(|row| self.org.id_of(row)).collect()
    }

    fn bury(&self, gone: &mut HashSet<(&'static str, u64)>, row: Row) {
        gone.insert((row.stream.name, row.index));
        for stream in STREAMS.iter().filter(|stream| stream.parent() == Some(row.stream.name)) {
            for index in self.org.inside(stream, row.index) {
                self.bury(gone, Row { stream, index });
            }
        }
    }

    /// The records that are still there, of those that were there from the start; of one `home` if
    /// it is given.
    pub fn live(&self, stream: &'static Stream, home: Option<Row>) -> Vec<Row> {
        let gone = lock(&self.gone);
        let rows = home.map_or(0..self.org.count(stream.name), |home| self.org.inside(stream, home.index));
        let rows = rows.filter(|index| !gone.contains(&(stream.name, *index)));
        rows.map(|index| Row { stream, index }).filter(|row| self.org.holds(*row)).collect()
    }

    /// Those that are still there of what these days have left.
    fn left_on(&self, stream: &'static Stream, days: &Range<Day>) -> Vec<Row> {
        let left = self.org.left_on(stream, days);
        let mut rows = self.live(stream, None);
        rows.retain(|row| left.contains(&row.index));
        days::arrange(&self.org, &mut rows);
        rows
    }

    /// All records that are listed, in order: those that are still there and those that have come.
    fn present(&self, stream: &'static Stream, home: Option<Row>) -> Vec<Row> {
        let live = self.live(stream, home);
        if !matches!(stream.narrowed, Narrowed::Scope) {
            return live;
        }
        let grants = lock(&self.grants);
        let granted = |indices: &[u64]| -> Vec<Row> {
            indices.iter().map(|index| Row { stream, index: *index }).collect()
        };
        [granted(grants.front()), live, granted(grants.back())].concat()
    }

    /// Makes all listings anew.
    pub fn forget_listings(&self) {
        lock(&self.listings).clear();
    }

    /// Grants role bindings, now or later.
    pub fn grant(&self, grant: Grant) {
        lock(&self.grants).plan(grant);
        lock(&self.listings).clear();
    }

    /// How many records are still there, of those that were there from the start.
    pub fn count(&self, stream: &'static Stream) -> u64 {
        if stream.is_dated() {
            return self.live(stream, None).len() as u64;
        }
        let gone = lock(&self.gone).iter().filter(|(of, _)| *of == stream.name).count();
        self.org.count(stream.name) - gone as u64
    }

    /// The answer of a service in good health (and, when rude, of one with the hiccups).
    pub fn answer(&self, head: &Head, twist: Twist) -> Answer {
        self.try_answer(head, twist).unwrap_or_else(|refusal| *refusal)
    }

    fn try_answer(&self, head: &Head, twist: Twist) -> Result<Answer, Refusal> {
        if let Some(answer) = self.issuer.as_ref().and_then(|issuer| issuer.answer(head)) {
            return answer;
        }
        let Some(target) = at(&head.path) else {
            return Err(refuse(Fault::plain(404, "404 page not found")));
        };
        if head.method != "GET" {
            return Err(refuse(Fault::errors(405, "Method Not Allowed")));
        }
        self.authenticate(head)?;
        let homes = homes(&target, head);
        self.admit(target.stream, &homes, head)?;
        match target.id {
            Some(id) => self.one(target.stream, &homes, id),
            None => self.page(target.stream, &homes, head, twist),
        }
    }

    /// What a good answer says of the rate limit.
    pub fn quota(&self) -> [(String, u64); 3] {
        self.window.quota(self.org.scenario.quota)
    }

    fn admit(&self, stream: &Stream, homes: &[Home], head: &Head) -> Result<(), Refusal> {
        let asks_all = self.is_whole(head.parameter("crn_pattern"));
        let refused = self.org.scenario.refused.iter().any(|refused| {
            let (name, which) = refused.split_once('/').unwrap_or((refused, ""));
            name == stream.name
                && match (which, which.strip_prefix('#').map(str::parse)) {
                    ("", _) => true,
                    ("*", _) => asks_all,
                    (_, Some(Ok(number))) => {
                        homes.last().is_some_and(|(name, id)| *id == self.org.id(name, number))
                    }
                    _ => homes.iter().any(|(_, id)| *id == which),
                }
        });
        if refused { Err(denied(stream, 403)) } else { Ok(()) }
    }

    /// Whether this pattern asks for everything in the organization.
    fn is_whole(&self, pattern: Option<&str>) -> bool {
        pattern.and_then(|pattern| pattern.strip_suffix("/*")) == Some(&self.org.crn())
    }

    /// The record that a listing is narrowed to: the last one, each in the one before.
    fn home(&self, stream: &Stream, homes: &[Home]) -> Result<Option<Row>, Refusal> {
        if let (Narrowed::Query(parameter, _), [] | [(_, "")]) = (stream.narrowed, homes) {
            return Err(invalid(parameter, &format!("{parameter} is required")));
        }
        homes.iter().try_fold(None, |home: Option<Row>, (name, id)| {
            let found = self.live(self.org.stream(name), home).into_iter();
            // The documents promise 403 as well as 404 for what is not there or hidden.
            let status = if home.is_some() { 403 } else { 404 };
            let mut found = found.filter(|row| self.org.id_of(*row) == *id);
            found.next().map(Some).ok_or_else(|| denied(stream, status))
        })
    }

    fn one(&self, stream: &'static Stream, homes: &[Home], id: &str) -> Result<Answer, Refusal> {
        let home = self.home(stream, homes)?;
        let found = self.present(stream, home).into_iter().find(|row| self.org.id_of(*row) == id);
        Ok(Answer::json(200, self.org.record(found.ok_or_else(|| denied(stream, 404))?)))
    }

    fn page(
        &self,
        stream: &'static Stream,
        homes: &[Home],
        head: &Head,
        twist: Twist,
    ) -> Result<Answer, Refusal> {
        let narrows = |name: &str| {
            stream.parameters().contains(&name) || stream.filters.iter().any(|(known, _)| *known == name)
        };
        let mut filter: Vec<(String, String)> =
            head.query.iter().filter(|(name, _)| narrows(name)).cloned().collect();
        filter.sort();
        // A look-up of one principal is no listing.
        let grants = matches!(stream.narrowed, Narrowed::Scope) && filter.len() == 1;
        if matches!(stream.narrowed, Narrowed::Scope) {
            let pattern = head.parameter("crn_pattern");
            self.check_scope(stream, pattern)?;
            if grants && lock(&self.grants).asked(self.is_whole(pattern)) {
                lock(&self.listings).clear();
            }
        }
        demand(stream, |name| head.parameter(name))?;
        let days = days::asked(&self.org, stream, head)?;
        let asked = Asked { stream, home: self.home(stream, homes)?, days, filter };
        let number = asked.number();
        let cursor = self.cursor(stream, number, head)?;
        self.hiccup(number, cursor)?;
        let listing = self.listing(number, asked);
        let generation = self.generation.load(SeqCst);
        let expand = head.query.iter().filter(|(name, _)| name == "expand");
        let expand = expand.flat_map(|(_, parts)| parts.split(',')).collect();
        let token = |cursor| self.mint.token(number, generation, cursor);
        let page = Page { org: &self.org, listing: &listing, cursor, twist, expand, token: &token };
        if grants {
            lock(&self.grants).listed(page.indices());
        }
        Ok(Answer::json(200, page.write()))
    }

    fn check_scope(&self, stream: &Stream, pattern: Option<&str>) -> Result<(), Refusal> {
        let Some(pattern) = pattern else {
            return Err(invalid("crn_pattern", "crn_pattern is required"));
        };
        let Some(rest) = pattern.strip_prefix("crn://confluent.cloud/organization=") else {
            return Err(invalid("crn_pattern", "crn_pattern is not a Confluent Resource Name"));
        };
        let organization = rest.split('/').next().unwrap_or_default();
        // Bindings of an organization that the key does not belong to are as good as absent.
        if organization.trim_end_matches('*') == self.org.id { Ok(()) } else { Err(denied(stream, 403)) }
    }

    fn cursor(&self, stream: &Stream, listing: u64, head: &Head) -> Result<Cursor, Refusal> {
        let (usual, most) = stream.page_size;
        if matches!(stream.envelope, Envelope::Map { .. }) {
            return Ok(Cursor { offset: 0, size: usual, empty: false });
        }
        let size = match head.parameter("page_size").map(str::parse::<u64>) {
            None => usual,
            Some(Ok(size)) if size > 0 => size.min(most),
            Some(_) => return Err(invalid("page_size", "page_size must be a positive integer")),
        };
        let Some(token) = head.parameter("page_token") else {
            return Ok(Cursor { offset: 0, size, empty: false });
        };
        let refused = self.refuse_tokens.load(SeqCst);
        if refused > 0 {
            return Err(expired(refused));
        }
        match self.mint.read(listing, token) {
            None => Err(invalid("page_token", "invalid page token")),
            Some((generation, cursor)) if generation < self.emptied.load(SeqCst) => {
                Ok(Cursor { offset: BEYOND, empty: true, ..cursor })
            }
            Some((generation, _)) if generation < self.generation.load(SeqCst) => Err(expired(400)),
            Some((_, cursor)) => Ok(cursor),
        }
    }

    /// Rude services stumble now and then, never more than twice over the same page.
    fn hiccup(&self, listing: u64, cursor: Cursor) -> Result<(), Refusal> {
        let seed = self.org.scenario.seed;
        let mut dice = dice(&[seed, listing, cursor.offset << 1 | u64::from(cursor.empty), 99]);
        let stumbles = if self.org.scenario.rude && dice.u32(..8) == 0 { dice.u32(1..=2) } else { 0 };
        if stumbles == 0 {
            return Ok(());
        }
        let place = (listing, cursor.offset, cursor.empty);
        let mut hiccups = lock(&self.hiccups);
        let so_far = hiccups.entry(place).or_default();
        if *so_far == stumbles {
            hiccups.remove(&place);
            return Ok(());
        }
        *so_far += 1;
        self.faults.fetch_add(1, SeqCst);
        Err(refuse(if dice.bool() {
            Fault::errors(503, "upstream connect error or disconnect/reset before headers")
        } else {
            Fault::rate_limited(0)
        }))
    }

    fn listing(&self, number: u64, asked: Asked) -> Arc<Listing> {
        // Held until the new one is kept: it must not come after a change that it does not know of.
        let mut listings = lock(&self.listings);
        if let Some(listing) = listings.get(&number) {
            return Arc::clone(listing);
        }
        let listing = Arc::new(self.list(asked));
        if listings.len() >= KEPT {
            listings.clear();
        }
        listings.insert(number, Arc::clone(&listing));
        listing
    }

    fn list(&self, asked: Asked) -> Listing {
        let stream = asked.stream;
        let is_short = self.org.scenario.weak_key && stream.name == "api_keys";
        let own = is_short.then(|| ("spec.owner".to_owned(), self.org.owner().1));
        let whole = asked.filter.is_empty() && asked.home.is_none() && !is_short;
        if whole && self.count(stream) == self.org.count(stream.name) {
            return Listing::all(&self.org, asked);
        }
        let server = self.org.scenario.bindings;
        let scope = asked.filter.iter().find(|(name, _)| name == "crn_pattern");
        let mut rows = match &asked.days {
            Some(days) => self.left_on(stream, days),
            None => self.present(stream, asked.home),
        };
        rows.retain(|row| {
            scope.is_none_or(|(_, scope)| bindings::finds(server, scope, &bindings::pattern(&self.org, *row)))
                && [&asked.filter[..], own.as_slice()].iter().all(|filter| self.matches(*row, filter))
        });
        Listing::of(asked, rows.into_iter().map(|row| row.index))
    }

    /// A filter given more than once means any of its values.
    fn matches(&self, row: Row, filter: &[(String, String)]) -> bool {
        let mut known = row.stream.filters.iter();
        let mut record = None;
        known.all(|(name, place)| {
            let mut wanted = filter.iter().filter(|(asked, _)| asked == name).peekable();
            wanted.peek().is_none() || {
                let record: &Value = record
                    .get_or_insert_with(|| serde_json::from_str(&self.org.record(row)).unwrap_or_default());
                let found = record.pointer(place).and_then(Value::as_str);
                wanted.any(|(_, value)| found == Some(value.as_str()))
            }
        })
    }
}

/// A record that a request names and a listing is in: its stream and its id.
type Home<'a> = (&'static str, &'a str);

fn homes<'a>(target: &Target<'a>, head: &'a Head) -> Vec<Home<'a>> {
    match target.stream.narrowed {
        Narrowed::Query(parameter, stream) => {
            head.parameter(parameter).map(|id| (stream, id)).into_iter().collect()
        }
        _ => target.homes.clone(),
    }
}
