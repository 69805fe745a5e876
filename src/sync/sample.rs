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
    /// Else the stream is read whole, without limits.
    is_on: bool,
    listings: u32,
    /// Pages of the current listing.
    pages: u32,
    /// Whether the current listing has returned a record.
    came: bool,
    /// Describes what a read would request and the sample does not.
    pub unasked: Option<String>,
}

/// How far a listing has come, or all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// Another page is to be requested.
    Page,
    /// The listing is complete, or the last one.
    End,
    /// Nothing further is asked for: a sample has seen enough, or what comes next cannot be told.
    Enough,
}

impl Sample {
    /// Pages of a parent, and requests of this run, after which a sample lists no more of it.
    pub const OF_PARENTS: Most = Most { pages: MOST_PAGES as usize, requests: MOST_REQUESTS - KEPT };

    pub fn new(is_on: bool) -> Sample {
        Sample { is_on, ..Sample::default() }
    }

    /// Whether so many requests of this run leave another.
    pub fn leaves(requests: u64) -> bool {
        requests < MOST_REQUESTS - KEPT
    }

    /// Notes that the sample does not request everything.
    fn cut(&mut self) -> Turn {
        self.unasked = Some(format!(
            "not all of it was requested, because a check reads at most {MOST_PAGES} pages of a listing and \
             sends at most {MOST_REQUESTS} requests"
        ));
        Turn::Enough
    }

    /// There is no further listing, or, where parents were cut, none that may be requested.
    pub fn end(&mut self, is_cut: bool) -> Turn {
        if is_cut { self.cut() } else { Turn::End }
    }

    /// What follows a turn, after so many requests of this run.
    pub fn within(&mut self, turn: Turn, requests: u64) -> Turn {
        if !self.is_on || turn != Turn::Page || Sample::leaves(requests) {
            return turn;
        }
        self.cut()
    }

    /// How far a listing has come behind a page with or without records and a next link. A sample reads it until its
    /// first record or, if it observes its scope, until it proves to include narrower scopes.
    pub fn after(&mut self, records: bool, link: bool, observes: bool) -> Turn {
        self.pages += 1;
        self.came |= records;
        if !link || (self.is_on && self.came && !observes) {
            return Turn::End;
        }
        if !self.is_on || self.pages < MOST_PAGES {
            return Turn::Page;
        }
        let unknown = if observes { ", and it is not known whether /* must be read too" } else { "" };
        self.unasked = Some(format!("only {MOST_PAGES} pages of a listing were requested{unknown}"));
        Turn::Enough
    }

    /// Begins another listing, if that may be requested.
    pub fn begin(&mut self) -> Turn {
        (self.listings, self.pages, self.came) = (self.listings + 1, 0, false);
        if !self.is_on || self.listings <= MOST_LISTINGS {
            return Turn::Page;
        }
        self.unasked = Some(format!("only {MOST_LISTINGS} of its listings were requested"));
        Turn::Enough
    }
}
