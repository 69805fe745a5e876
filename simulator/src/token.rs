//! Page tokens: opaque, never to be put in a URL as they are (`+`, `/`, `=`), other ones at each
//! start of the simulator, good for one listing only. Nothing is stored: a token says where it leads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::random::{dice, mix};

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Position in the listing.
    pub offset: u64,
    /// The page size asked for first; it rides in the token.
    pub size: u64,
    /// A page without rows, before the one at `offset`.
    pub empty: bool,
}

/// What makes tokens of one start of the simulator.
pub struct Mint {
    secret: u64,
}

/// These three bytes read `x+/Q`, so that every token needs percent-encoding.
const OPENING: [u8; 3] = [0xc7, 0xef, 0xd0];

impl Mint {
    pub fn new() -> Self {
        Self { secret: fastrand::u64(..) }
    }

    /// A token for a page of `listing`, of the given generation.
    pub fn token(&self, listing: u64, generation: u64, cursor: Cursor) -> String {
        let words = [listing, cursor.offset, generation << 32 | cursor.size << 1 | u64::from(cursor.empty)];
        let seal = mix(&[self.secret, words[0], words[1], words[2]]);
        let mut keys = dice(&[self.secret, seal]);
        let mut bytes = OPENING.to_vec();
        bytes.extend(seal.to_le_bytes());
        for word in words {
            bytes.extend((word ^ keys.u64(..)).to_le_bytes());
        }
        STANDARD.encode(bytes)
    }

    /// The generation and place a token leads to, if it is ours and of this listing.
    pub fn read(&self, listing: u64, token: &str) -> Option<(u64, Cursor)> {
        let bytes = STANDARD.decode(token).ok()?;
        let rest = bytes.strip_prefix(&OPENING)?;
        let words: Vec<u64> = rest
            .chunks(8)
            .map(|chunk| chunk.try_into().map(u64::from_le_bytes))
            .collect::<Result<_, _>>()
            .ok()?;
        let [seal, hidden @ ..] = words.as_slice() else { return None };
        let mut keys = dice(&[self.secret, *seal]);
        let open: Vec<u64> = hidden.iter().map(|word| word ^ keys.u64(..)).collect();
        let [of, offset, packed] = open.as_slice() else { return None };
        if *of != listing || *seal != mix(&[self.secret, *of, *offset, *packed]) {
            return None;
        }
        let cursor = Cursor { offset: *offset, size: (packed & 0xffff_ffff) >> 1, empty: packed & 1 == 1 };
        Some((packed >> 32, cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_page_and_to_no_other_listing() {
        let (mint, other) = (Mint::new(), Mint::new());
        for offset in [0, 99, 1_000_000] {
            let cursor = Cursor { offset, size: 99, empty: offset == 99 };
            let token = mint.token(5, 2, cursor);
            assert_eq!(mint.read(5, &token), Some((2, cursor)));
            assert_eq!(mint.read(6, &token), None);
            assert_eq!(other.read(5, &token), None);
            assert!(['+', '/', '='].iter().all(|c| token.contains(*c)), "{token}");
        }
        assert_eq!(mint.read(5, ""), None);
        assert_eq!(mint.read(5, "nonsense"), None);
    }
}
