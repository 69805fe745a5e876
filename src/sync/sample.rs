//! How far a sample goes: it asks for what a read would ask for, and stops where the rest would tell nothing
//! new. Knows positions, not requests.

use crate::state::{Position, Reach};

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

impl Sample {
    /// Whether another request may be made after so many of this run. The first always may: a stream that was never
    /// asked for is not known to be readable.
    pub fn may_ask(&mut self, requests: u64) -> bool {
        let is_first = !std::mem::replace(&mut self.asked, true);
        let may = is_first || requests < MOST_REQUESTS - KEPT;
        if !may {
            self.unasked = Some(format!(
                "not all of it was asked for, because a check makes {MOST_REQUESTS} requests at most"
            ));
        }
        may
    }

    /// The position after a page that brought so many records: within a listing only until its first record, or
    /// until it proves to hold what is below its scope; else the listing that a read would come to. `Start`
    /// where the sample ends without having come to the end.
    pub fn after(&mut self, position: Position, records: usize, environments: &[String]) -> Position {
        self.pages += 1;
        self.came |= records > 0;
        let place = match position {
            Position::At(place) => place,
            end => return end,
        };
        let after = match place.token {
            Some(_) if self.came && place.reach() != Some(Reach::Bare) => {
                place.after(None, false, environments)
            }
            Some(_) if self.pages >= MOST_PAGES => {
                let unknown = ", and whether all of it must be read by /* is not known";
                let bare = place.reach().map_or("", |_| unknown);
                self.unasked = Some(format!("only {MOST_PAGES} pages of a listing were asked for{bare}"));
                return Position::Start;
            }
            _ => Position::At(place),
        };
        if let Position::At(place) = &after
            && place.token.is_none()
        {
            (self.listings, self.pages, self.came) = (self.listings + 1, 0, false);
            if self.listings >= MOST_LISTINGS {
                self.unasked = Some(format!("only {MOST_LISTINGS} of its listings were asked for"));
                return Position::Start;
            }
        }
        after
    }
}
