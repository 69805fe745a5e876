//! From a request to an answer: who asks, what is refused, which listing and page it is.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::faults::Fault;
use crate::grants::{Grant, Ledger};
use crate::http::{Answer, Head};
use crate::log::lock;
use crate::organization::Organization;
use crate::page::{self, Listing, Page, Twist};
use crate::quota::Window;
use crate::random::dice;
use crate::refusals::{Refusal, expired, forbidden, invalid, not_found, refuse};
use crate::stream::Stream;
use crate::token::{Cursor, Mint};
use crate::{bindings, clusters};

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
    /// Places of records that have been deleted.
    gone: Mutex<HashSet<(Stream, u64)>>,
    pub grants: Mutex<Ledger>,
    window: Window,
}

impl Service {
    pub fn new(org: Organization) -> Self {
        Self {
            org,
            mint: Mint::new(),
            listings: Mutex::default(),
            hiccups: Mutex::default(),
            refuse_tokens: AtomicU16::new(0),
            generation: AtomicU64::new(1),
            emptied: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            gone: Mutex::default(),
            grants: Mutex::default(),
            window: Window::default(),
        }
    }

    /// Deletes the last records of a stream that are still there, and says their ids.
    pub fn delete(&self, stream: Stream, count: usize) -> Vec<String> {
        let last: Vec<u64> = self.live(stream).into_iter().rev().take(count).collect();
        let mut gone = lock(&self.gone);
        gone.extend(last.iter().map(|index| (stream, *index)));
        if stream == Stream::Environments {
            let theirs = last.iter().flat_map(|environment| clusters::of(&self.org, *environment));
            gone.extend(theirs.map(|index| (Stream::KafkaClusters, index)));
        }
        drop(gone);
        lock(&self.listings).clear();
        last.into_iter().map(|index| self.org.id_of(stream, index)).collect()
    }

    /// The places of the records that are still there, of those that were there from the start.
    pub fn live(&self, stream: Stream) -> Vec<u64> {
        let gone = lock(&self.gone);
        (0..self.org.count(stream)).filter(|index| !gone.contains(&(stream, *index))).collect()
    }

    /// The places of all records that are listed, in order: those that are still there and those
    /// that have come.
    fn present(&self, stream: Stream) -> Vec<u64> {
        let live = self.live(stream);
        if stream != Stream::RoleBindings {
            return live;
        }
        let grants = lock(&self.grants);
        [grants.front(), &live, grants.back()].concat()
    }

    /// Grants role bindings, now or later.
    pub fn grant(&self, grant: Grant) {
        lock(&self.grants).plan(grant);
        lock(&self.listings).clear();
    }

    /// How many records are still there, of those that were there from the start.
    pub fn count(&self, stream: Stream) -> u64 {
        let gone = lock(&self.gone).iter().filter(|(of, _)| *of == stream).count();
        self.org.count(stream) - gone as u64
    }

    /// Whether a request carries a key that works and its secret.
    pub fn authorized(&self, head: &Head) -> bool {
        let (scheme, rest) =
            head.header("authorization").and_then(|value| value.split_once(' ')).unwrap_or_default();
        scheme.eq_ignore_ascii_case("basic") && self.org.credentials.admit(rest.trim())
    }

    /// The answer of a service in good health (and, when rude, of one with the hiccups).
    pub fn answer(&self, head: &Head, twist: Twist) -> Answer {
        self.try_answer(head, twist).unwrap_or_else(|refusal| *refusal)
    }

    fn try_answer(&self, head: &Head, twist: Twist) -> Result<Answer, Refusal> {
        let Some((stream, id)) = Stream::at(&head.path) else {
            return Err(refuse(Fault::plain(404, "404 page not found")));
        };
        if head.method != "GET" {
            return Err(refuse(Fault::errors(405, "Method Not Allowed")));
        }
        self.authenticate(head)?;
        self.admit(stream, head)?;
        match id {
            Some(id) => self.one(stream, id, head),
            None => self.page(stream, head, twist),
        }
    }

    /// What a good answer says of the rate limit.
    pub fn quota(&self) -> [(String, u64); 3] {
        self.window.quota(self.org.scenario.quota)
    }

    fn authenticate(&self, head: &Head) -> Result<(), Refusal> {
        if !self.authorized(head) {
            let fault = Fault::errors(401, "Unauthorized");
            return Err(refuse(fault.with_header(
                "WWW-Authenticate",
                r#"Basic error="invalid_key", error_description="The API Key is invalid""#,
            )));
        }
        if self.org.scenario.resource_key {
            return Err(refuse(Fault::errors(
                401,
                "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key: \
                 https://docs.confluent.io/cloud/current/access-management/authenticate/api-keys/api-keys.html",
            )));
        }
        Ok(())
    }

    fn admit(&self, stream: Stream, head: &Head) -> Result<(), Refusal> {
        let asks_all = self.is_whole(head.parameter("crn_pattern"));
        let refused = self.org.scenario.refused.iter().any(|refused| {
            refused == stream.name()
                || refused == "role_bindings/*" && stream == Stream::RoleBindings && asks_all
                || stream == Stream::KafkaClusters && self.hides(refused, head.parameter("environment"))
        });
        if refused { Err(forbidden(stream)) } else { Ok(()) }
    }

    /// Whether this pattern asks for everything in the organization.
    fn is_whole(&self, pattern: Option<&str>) -> bool {
        pattern.and_then(|pattern| pattern.strip_suffix("/*")) == Some(&self.org.crn())
    }

    /// Whether refusing this refuses the clusters of the environment asked for.
    fn hides(&self, refused: &str, asked: Option<&str>) -> bool {
        let Some(which) = refused.strip_prefix("kafka_clusters/") else {
            return false;
        };
        match which.strip_prefix('#').map(str::parse) {
            Some(Ok(number)) => asked == Some(&self.org.id_of(Stream::Environments, number)),
            _ => asked == Some(which),
        }
    }

    fn one(&self, stream: Stream, id: &str, head: &Head) -> Result<Answer, Refusal> {
        let environment = match stream {
            Stream::KafkaClusters => Some(self.environment(head.parameter("environment"))?),
            _ => None,
        };
        let index = self.present(stream).into_iter().find(|index| self.org.id_of(stream, *index) == id);
        match index {
            Some(index) if environment.is_none_or(|home| clusters::home(&self.org, index).0 == home) => {
                Ok(Answer::json(200, self.org.record(stream, index)))
            }
            None if stream == Stream::RoleBindings => Err(forbidden(stream)),
            _ => Err(not_found()),
        }
    }

    fn page(&self, stream: Stream, head: &Head, twist: Twist) -> Result<Answer, Refusal> {
        let mut filter: Vec<(String, String)> = head
            .query
            .iter()
            .filter(|(name, _)| stream.filters().iter().any(|(known, _)| known == name))
            .cloned()
            .collect();
        filter.sort();
        // A look-up of one principal is no listing.
        let grants = stream == Stream::RoleBindings && filter.len() == 1;
        if stream == Stream::RoleBindings {
            let pattern = head.parameter("crn_pattern");
            self.check_scope(pattern)?;
            if grants && lock(&self.grants).asked(self.is_whole(pattern)) {
                lock(&self.listings).clear();
            }
        }
        if stream == Stream::KafkaClusters {
            self.environment(value(&filter, "environment"))?;
        }
        let number = page::number(stream, &filter);
        let cursor = self.cursor(number, head)?;
        self.hiccup(number, cursor)?;
        let listing = self.listing(number, stream, filter);
        let generation = self.generation.load(SeqCst);
        let token = |cursor| self.mint.token(number, generation, cursor);
        let page = Page { org: &self.org, listing: &listing, cursor, twist, token: &token };
        if grants {
            lock(&self.grants).listed(page.indices());
        }
        Ok(Answer::json(200, page.write()))
    }

    /// The place of an environment that is still there.
    fn environment(&self, asked: Option<&str>) -> Result<u64, Refusal> {
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
            return Err(invalid("environment", "environment is required"));
        };
        // The documents promise 403 as well as 404 for what is not there or hidden.
        self.live(Stream::Environments)
            .into_iter()
            .find(|index| self.org.id_of(Stream::Environments, *index) == asked)
            .ok_or_else(not_found)
    }

    fn check_scope(&self, pattern: Option<&str>) -> Result<(), Refusal> {
        let Some(pattern) = pattern else {
            return Err(invalid("crn_pattern", "crn_pattern is required"));
        };
        let Some(rest) = pattern.strip_prefix("crn://confluent.cloud/organization=") else {
            return Err(invalid("crn_pattern", "crn_pattern is not a Confluent Resource Name"));
        };
        let organization = rest.split('/').next().unwrap_or_default();
        // Bindings of an organization that the key does not belong to are as good as absent.
        if organization.trim_end_matches('*') == self.org.id {
            Ok(())
        } else {
            Err(forbidden(Stream::RoleBindings))
        }
    }

    fn cursor(&self, listing: u64, head: &Head) -> Result<Cursor, Refusal> {
        let size = match head.parameter("page_size").map(str::parse::<u64>) {
            None => 10,
            Some(Ok(size)) if size > 0 => size.min(100),
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

    fn listing(&self, number: u64, stream: Stream, filter: Vec<(String, String)>) -> Arc<Listing> {
        // Held until the new one is kept: it must not come after a change that it does not know of.
        let mut listings = lock(&self.listings);
        if let Some(listing) = listings.get(&number) {
            return Arc::clone(listing);
        }
        let listing = Arc::new(self.list(stream, filter));
        if listings.len() >= KEPT {
            listings.clear();
        }
        listings.insert(number, Arc::clone(&listing));
        listing
    }

    fn list(&self, stream: Stream, filter: Vec<(String, String)>) -> Listing {
        if filter.is_empty() && lock(&self.gone).is_empty() {
            return Listing::all(&self.org, stream);
        }
        let asked = filter.clone();
        let scope = value(&asked, "crn_pattern");
        let environment = value(&asked, "environment").and_then(|id| self.environment(Some(id)).ok());
        let server = self.org.scenario.bindings;
        let others: Vec<_> = asked
            .iter()
            .filter(|(name, _)| !["crn_pattern", "environment"].contains(&name.as_str()))
            .collect();
        let rows = self.present(stream).into_iter().filter(|index| {
            let in_scope = scope
                .is_none_or(|scope| bindings::finds(server, scope, &bindings::pattern(&self.org, *index)));
            in_scope
                && environment.is_none_or(|home| clusters::home(&self.org, *index).0 == home)
                && (others.is_empty() || self.matches(stream, *index, &others))
        });
        Listing::of(stream, filter, rows)
    }

    /// A filter given more than once means any of its values.
    fn matches(&self, stream: Stream, index: u64, filter: &[&(String, String)]) -> bool {
        let record: Value = serde_json::from_str(&self.org.record(stream, index)).unwrap_or_default();
        stream.filters().iter().all(|(name, place)| {
            let mut wanted = filter.iter().filter(|(asked, _)| asked == name).peekable();
            let found = record.pointer(place).and_then(Value::as_str);
            wanted.peek().is_none() || wanted.any(|(_, value)| found == Some(value.as_str()))
        })
    }
}

/// The first value of a name.
fn value<'a>(filter: &'a [(String, String)], name: &str) -> Option<&'a str> {
    filter.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
