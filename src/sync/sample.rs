//! How far a sample goes: it asks for what a read would ask for, and stops where the rest would tell nothing new.

use crate::api::listing::Most;

/// Listings of a stream that a sample asks for.
const MOST_LISTINGS: u32 = 20;

/// Pages of one listing.
const MOST_PAGES: u32 = 10;

/// Requests of all streams and look-ups.
const MOST_REQUESTS: u64 = 100;

/// Of these, kept for the look-up of the key's owner: its record, and five pages of role bindings.
const KEPT: u64 = 6;

/// What a sample of one stream has asked for so far.
#[derive(Default)]
pub struct Sample {
    /// Whether it has come to the question if it may ask.
    asked: bool,
    listings: u32,
    /// Of the listing at hand.
    pages: u32,
    /// Records of the listing at hand.
    came: bool,
    /// What a read would ask for and the sample does not, in words.
    pub unasked: Option<String>,
}

/// Where reading goes on after a page.
#[derive(Debug, PartialEq)]
pub enum Next {
    Page,
    Partition,
    /// Nowhere: a sample has seen enough.
    Enough,
}

impl Sample {
    /// Pages of a parent, and requests of this run, after which a sample lists no more of it.
    pub const OF_PARENTS: Most = Most { pages: MOST_PAGES as usize, requests: MOST_REQUESTS - KEPT };

    /// Whether so many requests of this run leave another.
    pub fn leaves(requests: u64) -> bool {
        requests < MOST_REQUESTS - KEPT
    }

    /// Says that not all is asked for.
    pub fn cut(&mut self) {
        self.unasked = Some(format!(
            "not all of it was requested, because a check reads at most {MOST_PAGES} pages of a listing and \
             sends at most {MOST_REQUESTS} requests"
        ));
    }

    /// Whether another page may be asked for after so many requests of this run. The first always may: a stream that was
    /// never asked for is not known to be readable.
    pub fn may_ask(&mut self, requests: u64) -> bool {
        let is_first = !std::mem::replace(&mut self.asked, true);
        let may = is_first || Sample::leaves(requests);
        if !may {
            self.cut();
        }
        may
    }

    /// Where to go on after a page that brought records or none, and a link to a next one or none: within a listing
    /// only until its first record, or, where it observes its scope, until it proves to hold what is below.
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
        let may = self.listings < MOST_LISTINGS;
        if !may {
            self.unasked = Some(format!("only {MOST_LISTINGS} of its listings were requested"));
        }
        may
    }
}
