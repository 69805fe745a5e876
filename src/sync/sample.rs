//! The limits of a sample: it sends the requests of a read, and stops when further requests would reveal nothing new.

use crate::api::listing::Most;
use crate::streams::STREAMS;

/// Listings of a stream that a sample asks for.
const MOST_LISTINGS: u32 = 20;

/// Maximum pages of one listing.
const MOST_PAGES: u32 = 10;

/// Maximum requests of all streams and look-ups.
const MOST_REQUESTS: u64 = 100;

/// Requests reserved for the look-up of the key's owner, its record and five pages of role bindings, and for the first
/// request of each stream.
const KEPT: u64 = 6 + STREAMS.len() as u64;

/// What a sample of one stream has requested so far.
#[derive(Default)]
pub struct Sample {
    listings: u32,
    /// Pages of the current listing.
    pages: u32,
    /// Whether the current listing has returned a record.
    came: bool,
    /// Describes what a read would request and the sample does not.
    pub unasked: Option<String>,
}

/// What to read after a page.
#[derive(Debug, PartialEq)]
pub enum Next {
    Page,
    Partition,
    /// Nothing: the sample is complete.
    Enough,
}

impl Sample {
    /// Pages of a parent, and requests of this run, after which a sample lists no more of it.
    pub const OF_PARENTS: Most = Most { pages: MOST_PAGES as usize, requests: MOST_REQUESTS - KEPT };

    /// Whether so many requests of this run leave another.
    pub fn leaves(requests: u64) -> bool {
        requests < MOST_REQUESTS - KEPT
    }

    /// Notes that the sample does not request everything.
    pub fn cut(&mut self) {
        self.unasked = Some(format!(
            "not all of it was requested, because a check reads at most {MOST_PAGES} pages of a listing and \
             sends at most {MOST_REQUESTS} requests"
        ));
    }

    /// Whether another page may be requested after so many requests of this run.
    pub fn may_ask(&mut self, requests: u64) -> bool {
        let may = Sample::leaves(requests);
        if !may {
            self.cut();
        }
        may
    }

    /// What to read after a page with or without records and a next link. A listing is read until its first record
    /// or, if it observes its scope, until it proves to include narrower scopes.
    pub fn after(&mut self, records: bool, link: bool, observes: bool) -> Next {
        self.pages += 1;
        self.came |= records;
        if !link || (self.came && !observes) {
            return Next::Partition;
        }
        if self.pages < MOST_PAGES {
            return Next::Page;
        }
        let unknown = if observes { ", and it is not known whether /* must be read too" } else { "" };
        self.unasked = Some(format!("only {MOST_PAGES} pages of a listing were requested{unknown}"));
        Next::Enough
    }

    /// Whether another listing may be begun.
    pub fn begins(&mut self) -> bool {
        (self.listings, self.pages, self.came) = (self.listings + 1, 0, false);
        let may = self.listings <= MOST_LISTINGS;
        if !may {
            self.unasked = Some(format!("only {MOST_LISTINGS} of its listings were requested"));
        }
        may
    }
}
