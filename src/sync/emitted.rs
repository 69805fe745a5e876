//! What the listings of one scope have brought so far, so that what two of them bring is said once.

use std::collections::HashSet;

use ring::digest;

use crate::state::{Place, Position, Reach};

/// Hashes of the ids that the bare listing of a scope has brought in this pass. None where they are not all known,
/// because another run has read some, or of no use, because no other listing of the scope follows.
#[derive(Default)]
pub struct Emitted(Option<HashSet<[u8; 16]>>);

impl Emitted {
    /// Begins at a place.
    pub fn begin(&mut self, place: &Place) {
        let is_fresh = place.reach() == Some(Reach::Bare) && place.token.is_none();
        self.0 = is_fresh.then(HashSet::new);
    }

    /// Goes on at a position.
    pub fn after(&mut self, position: &Position) {
        match position {
            Position::At(place) if place.reach() == Some(Reach::Bare) && place.token.is_none() => {
                self.begin(place);
            }
            Position::At(place) if place.reach() != Some(Reach::Inclusive) => {}
            _ => self.0 = None,
        }
    }

    /// Whether the record with that key has to be said. Only what this pass has said already need not be.
    pub fn is_new(&mut self, key: Option<&str>, reach: Option<Reach>) -> bool {
        let (Some(emitted), Some(key)) = (&mut self.0, key) else { return true };
        let digest = digest::digest(&digest::SHA256, key.as_bytes());
        let Some(hash) = digest.as_ref().first_chunk::<16>() else { return true };
        match reach {
            Some(Reach::Bare) => {
                emitted.insert(*hash);
                true
            }
            _ => !emitted.contains(hash),
        }
    }
}
